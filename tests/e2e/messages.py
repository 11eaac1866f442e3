"""Texts of the product that several tests look for, so that each stands in one place."""

# Why a value cannot become the column that a template maps it to.
NOT_WHOLE = "is not a whole number"
NOT_WHOLE_64 = "is not a whole number within 64 bits"
NOT_AN_OBJECT = "is not an object"
NOT_TEXT = "is neither a string nor a number, true or false"
NOT_A_TIMESTAMP = "is not a valid timestamp: neither ISO 8601 nor RFC 2822 nor Unix time"
NO_PRODUCT_ORG_ID = "product_org_id is missing"

QUEUED = "Signal received and queued for processing"

# The tool's.
COULD_NOT_CONNECT = "sluicectl: could not connect to the database: "
NO_RIGHT = "permission denied"
NO_RIGHT_HINT = "HINT: connect as a member of sluice_admin"
