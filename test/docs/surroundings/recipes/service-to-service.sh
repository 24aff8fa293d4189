export ROLES="accounting=invoice:read invoice:write"
