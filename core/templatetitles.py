"""What the templates that come with frontdesk are called, to be translated where it is shown."""

from __future__ import annotations

from core.i18n import N_

NAMES: dict[str, str] = {
    "answer": N_("My own words"),
    "acknowledgement": N_("We have received your letter"),
    "after_sale": N_("After-sale letter"),
    "brochure": N_("Brochure"),
    "call_back_missed": N_("You called, we could not answer"),
    "commercial_offer": N_("Commercial offer"),
    "demo_invitation": N_("Invitation to a demo"),
    "demo_reminder": N_("Reminder of a demo"),
    "follow_up": N_("Follow-up"),
    "greeting": N_("Greeting on the telephone"),
    "invoice_reminder": N_("Reminder of an invoice"),
    "meeting_cancellation": N_("Meeting cancelled"),
    "meeting_change": N_("Meeting moved"),
    "meeting_invitation": N_("Invitation to a meeting"),
    "meeting_time_kept": N_("Meeting stays as it is"),
    "missed_call": N_("You called, we could not answer"),
    "offer_sent": N_("The offer is on its way"),
    "out_of_hours": N_("Outside working hours"),
    "technical_proposal": N_("Technical proposal"),
    "voicemail": N_("Please leave a message"),
}
"""What shipped templates are called."""
