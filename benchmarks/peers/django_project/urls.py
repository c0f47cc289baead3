"""The only URL of this project."""

from django.urls import path

from leads.views import MoveLeadsView

urlpatterns = [path("audiences/<int:audience_id>/move-leads", MoveLeadsView.as_view())]
