from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Static files whose names carry a hash of their content, and so can be cached for ever."""

    # Else a new page could load a module of the version before.
    support_js_module_import_aggregation = True
