-- What the measuring scripts share: a clock, token ids from a counter, peak memory.
local measure = {}

-- Seconds, in hundredths (Linux).
function measure.now()
  local file <close> = assert(io.open("/proc/uptime"))
  return file:read("n")
end

-- Seconds that body takes: its mean over at least `least` seconds, 1.5 unless given, so that the clock's hundredth is
-- little.
function measure.timed(body, least)
  local begun, times = measure.now(), 0
  repeat
    body()
    times = times + 1
  until measure.now() - begun > (least or 1.5)
  return (measure.now() - begun) / times
end

-- A function that makes lists of so many ids of a vocabulary, always the same.
function measure.tokens(vocabulary)
  local state = 1
  return function(count)
    local list = {}
    for i = 1, count do
      state = (state * 1103515245 + 12345) % 2147483648
      list[i] = 2 + state % (vocabulary - 2)
    end
    return list
  end
end

function measure.peak_kilobytes()
  local file <close> = assert(io.open("/proc/self/status"))
  return tonumber(file:read("a"):match("VmHWM:%s*(%d+)"))
end

return measure
