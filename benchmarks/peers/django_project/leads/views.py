"""The move: all of the leads or none, exact counts, and a record, in one transaction."""

from django.db import transaction
from django.db.models import Case, Exists, F, OuterRef, When
from django.http import Http404
from django.utils import timezone
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from leads.models import Audience, Membership, Move
from leads.serializers import AudienceSerializer, MoveLeadsSerializer


class Unprocessable(APIException):
    """Well-formed, but not possible. Raised inside the transaction, it rolls back everything."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY


class MoveLeadsView(APIView):
    """POST /audiences/{id}/move-leads"""

    def post(self, request: Request, audience_id: int) -> Response:
        body = MoveLeadsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        target_id = body.validated_data["target_audience_id"]
        lead_ids = list(dict.fromkeys(body.validated_data["lead_ids"]))
        if target_id == audience_id:
            raise Unprocessable("Source and target are the same audience.", code="SAME_AUDIENCE")
        source, target, move = move_leads(request.user, audience_id, target_id, lead_ids)
        return Response(
            {
                "source_audience": AudienceSerializer(source).data,
                "target_audience": AudienceSerializer(target).data,
                "moved_count": move.moved_count,
            }
        )


@transaction.atomic
def move_leads(user, source_id: int, target_id: int, lead_ids: list[int]) -> tuple[Audience, Audience, Move]:
    """Returns both audiences as the commit leaves them, and the record. Raises Http404 and Unprocessable."""
    # In the order of their ids, so that opposite moves wait for each other instead of deadlocking.
    both = Audience.objects.filter(owner=user, pk__in=(source_id, target_id)).order_by("pk")
    locked = {audience.pk: audience for audience in both.select_for_update(no_key=True)}
    if len(locked) < 2:
        raise Http404
    source, target = locked[source_id], locked[target_id]
    in_source = Membership.objects.filter(audience=source, lead_id__in=lead_ids)
    in_target = Membership.objects.filter(audience=target, lead_id=OuterRef("lead_id"))
    already, _ = in_source.filter(Exists(in_target)).delete()
    changed = in_source.update(audience=target, added_at=timezone.now())
    if already + changed < len(lead_ids):
        raise Unprocessable("Some leads are not in the source audience.", code="LEADS_NOT_IN_SOURCE")
    both.update(
        lead_count=Case(
            When(pk=source_id, then=F("lead_count") - (already + changed)), default=F("lead_count") + changed
        )
    )
    # No other transaction can have changed them since they were locked.
    source.lead_count -= already + changed
    target.lead_count += changed
    move = Move.objects.create(
        source=source,
        target=target,
        lead_ids=lead_ids,
        moved_count=already + changed,
        already_in_target_count=already,
        moved_by=user,
    )
    return source, target, move
