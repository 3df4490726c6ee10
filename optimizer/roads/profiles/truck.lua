-- A 26 t refuse truck with three axles, on top of the car profile that ships with OSRM.
--
-- Physical limits are hard: where the truck does not fit, there is no road.
-- Legal limits on goods vehicles are soft: refuse collection may use every road where its work
-- asks for it (in Germany StVO §35 Abs. 6), but should not cut through. Such roads keep their
-- travel time and weigh more, so that a route takes them only where it gains a lot or has to.

local share = assert(os.getenv('OSRM_PROFILES'), 'set OSRM_PROFILES to the folder of car.lua')
package.path = share .. '/?.lua;' .. package.path

local car = require('car')
local Tags = require('lib/tags')
local Measure = require('lib/measure')

local LEGAL_LIMIT_WEIGHT = 2.0 -- a metre on such a road counts as two
local EXEMPT = { 'destination', 'delivery', 'customers', 'residents', 'permit', 'private' }
local LEGAL_KEYS = Sequence { 'hgv', 'goods', 'motor_vehicle', 'vehicle', 'access' }
local LEGAL_VALUES = Set {
  'no', 'destination', 'delivery', 'customers', 'residents', 'permit', 'private', 'discouraged'
}

local function setup()
  local profile = car.setup()
  profile.vehicle_height = 3.8 -- metres, with the lifter
  profile.vehicle_width = 2.55 -- metres, without mirrors
  profile.vehicle_length = 10.5 -- metres
  profile.vehicle_weight = 26000 -- kilograms, loaded
  profile.vehicle_max_speed = 80 -- km/h
  profile.properties.max_speed_for_map_matching = 90 / 3.6
  profile.properties.u_turn_penalty = 60 -- seconds: three strokes with someone behind the truck
  profile.turn_penalty = 9
  profile.access_tags_hierarchy = Sequence { 'motor_vehicle', 'vehicle', 'access' }
  profile.restrictions = Sequence { 'hgv', 'motor_vehicle', 'vehicle' }
  for _, value in ipairs(EXEMPT) do
    profile.access_tag_blacklist[value] = nil
    profile.restricted_access_tag_list[value] = nil
    profile.service_access_tag_blacklist[value] = nil
    profile.access_tag_whitelist[value] = true
  end
  return profile
end

-- What a bridge bears is physical; a sign against trucks above some rated weight is legal.
function WayHandlers.handle_weight(profile, way, result, data)
  local forward, backward = Tags.get_forward_backward_by_key(way, data, 'maxweight')
  forward = Measure.get_max_weight(forward)
  backward = Measure.get_max_weight(backward)
  if forward and forward < profile.vehicle_weight then
    result.forward_mode = mode.inaccessible
  end
  if backward and backward < profile.vehicle_weight then
    result.backward_mode = mode.inaccessible
  end
end

local function is_legally_limited(profile, way)
  for _, key in ipairs(LEGAL_KEYS) do
    if LEGAL_VALUES[way:get_value_by_key(key)] then
      return true
    end
  end
  local rating = Measure.get_max_weight(way:get_value_by_key('maxweightrating'))
  return rating and rating < profile.vehicle_weight
end

local function process_way(profile, way, result, relations)
  car.process_way(profile, way, result, relations)
  if is_legally_limited(profile, way) then
    result.forward_rate = result.forward_rate / LEGAL_LIMIT_WEIGHT
    result.backward_rate = result.backward_rate / LEGAL_LIMIT_WEIGHT
  end
end

return {
  setup = setup,
  process_way = process_way,
  process_node = car.process_node,
  process_turn = car.process_turn
}
