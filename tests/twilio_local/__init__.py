"""A Twilio of our own for tests: it runs our TwiML, signs and posts webhooks, and keeps its own record.

It proves our code against our reading of Twilio's documents, not against Twilio.
"""
