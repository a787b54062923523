from django.db import migrations


class Migration(migrations.Migration):
    """Proxies need no table, so there is nothing to do; an app without migrations cannot have them."""

    dependencies = [("liveops", "0001_initial")]
    operations = []
