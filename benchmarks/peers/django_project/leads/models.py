"""Audiences, leads, memberships and the record of moves. An audience belongs to the user who owns the token."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone


class Audience(models.Model):
    """A named set of leads. `lead_count` is the number of its members."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    name = models.CharField(max_length=200)
    lead_count = models.PositiveIntegerField(default=0)


class Lead(models.Model):
    """One person, once per user."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    email = models.EmailField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "email"], name="one_lead_an_email")]


class Membership(models.Model):
    """The lead is in the audience."""

    # The constraint below is an index that begins with the audience. A second index would only cost time.
    audience = models.ForeignKey(Audience, on_delete=models.CASCADE, db_index=False)
    lead = models.ForeignKey(Lead, on_delete=models.CASCADE)
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["audience", "lead"], name="a_lead_once_an_audience")]


class Move(models.Model):
    """The record of a move: which leads, which user, and when."""

    source = models.ForeignKey(Audience, on_delete=models.CASCADE, related_name="+", db_index=False)
    target = models.ForeignKey(Audience, on_delete=models.CASCADE, related_name="+", db_index=False)
    lead_ids = ArrayField(models.BigIntegerField())
    moved_count = models.PositiveIntegerField()
    already_in_target_count = models.PositiveIntegerField()
    moved_at = models.DateTimeField(default=timezone.now)
    moved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_index=False)
