"""The body of a move, and the representation of an audience."""

from rest_framework import serializers

from leads.models import Audience


class MoveLeadsSerializer(serializers.Serializer):
    """The body of a move: the target, and from 1 to 10,000 leads."""

    target_audience_id = serializers.IntegerField(min_value=1)
    lead_ids = serializers.ListField(child=serializers.IntegerField(min_value=1), allow_empty=False, max_length=10_000)


class AudienceSerializer(serializers.ModelSerializer):
    """An audience with its exact count."""

    class Meta:
        model = Audience
        fields = ["id", "name", "lead_count"]
