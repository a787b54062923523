"""Run by `manage.py shell`: an account to sign in with, and a few contacts to begin with."""

import os

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from operations.contacts import Contact

# The second of each pair is the first one over again, for "Find duplicates" to show.
CONTACTS = [
    ("Ada Lovelace", "ada@example.com", "London", "Analytical Engines Ltd"),
    ("Lovelace, Ada", "ada.lovelace@example.com", "London", "Analytical Engines"),
    ("Grace Hopper", "grace@example.com", "Arlington", "Compilers & Co"),
    ("Grace  Hoper", "g.hopper@example.com", "Arlington", "Compilers and Co"),
    ("Emmy Noether", "emmy@example.com", "Göttingen", "Invariants GmbH"),
    ("Katherine Johnson", "katherine@example.com", "Hampton", "Orbital Paths"),
    ("Mary Jackson", "mary@example.com", "Hampton", "Wind Tunnels Inc"),
    ("Sofja Kowalewskaja", "sofja@example.com", "Stockholm", ""),
]


user, created = get_user_model().objects.get_or_create(
    username=os.environ["DEMO_USER"],
    defaults={"is_staff": True, "is_superuser": True, "email": settings.ADMIN_EMAIL},
)
# A new hash would end the session of whoever is still signed in from the last run.
if not user.check_password(os.environ["DEMO_PASSWORD"]):
    user.set_password(os.environ["DEMO_PASSWORD"])
    user.save()
if settings.LIVEOPS["REQUIRED_GROUP"]:
    user.groups.add(Group.objects.get_or_create(name=settings.LIVEOPS["REQUIRED_GROUP"])[0])
if created:
    Contact.objects.bulk_create(
        Contact(owner=user, name=name, email=email, city=city, company=company)
        for name, email, city, company in CONTACTS
    )
