"""The OWASP API Security Top 10 of 2023: https://owasp.org/API-Security/editions/2023/en/0x11-t10/"""

from enum import StrEnum


class Risk(StrEnum):
    OBJECTS = "API1 another's objects"
    AUTHENTICATION = "API2 authentication"
    PROPERTIES = "API3 another's properties"
    CONSUMPTION = "API4 consumption"
    FUNCTIONS = "API5 another's functions"
    FLOWS = "API6 automated flows"
    REQUEST_FORGERY = "API7 request forgery"
    MISCONFIGURATION = "API8 misconfiguration"
    INVENTORY = "API9 inventory"
    UPSTREAM = "API10 what others say"
