-- Devices that people add and strike off, beside those that the region declares.
ALTER TABLE device ADD COLUMN declared boolean NOT NULL DEFAULT true;  -- by the region's folder
ALTER TABLE device ADD COLUMN revoked_at timestamptz;  -- loading the region does not bring it back
