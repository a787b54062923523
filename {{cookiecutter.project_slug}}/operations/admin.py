"""Contacts in the admin site."""

from django.contrib import admin

from operations.contacts import Contact


@admin.register(Contact)
class ContactAdmin(admin.ModelAdmin):
    list_display = ["name", "email", "phone", "company", "city", "country", "owner"]
    list_filter = ["country", "updated_at"]
    list_select_related = ["owner"]
    search_fields = ["name", "email", "company", "city"]
    autocomplete_fields = ["owner"]
    readonly_fields = ["created_at", "updated_at"]
    show_full_result_count = False
