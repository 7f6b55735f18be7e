"""The GLSL programs: one for every surface, and passes for sky, composition, contact shadows, light pools and the film."""

from __future__ import annotations

VERTEX = """
#version 330
in vec3 in_pos; in vec3 in_normal; in vec3 in_colour; in vec3 in_look; in vec2 in_uv;
uniform mat4 view_proj; uniform mat4 model;
out vec3 world; out vec3 local; out vec3 normal; out vec3 local_normal; out vec3 colour;
out vec2 rough_metal; flat out int kind; out vec2 uv;
void main() {
  vec4 p = model * vec4(in_pos, 1.0);
  world = p.xyz; local = in_pos; normal = mat3(model) * in_normal; local_normal = in_normal;
  colour = in_colour; rough_metal = in_look.xy; kind = int(in_look.z + 0.5); uv = in_uv;
  gl_Position = view_proj * p;
}
"""

NOISE = """
float hash(vec2 p) { vec3 q = fract(vec3(p.xyx) * 0.1031); q += dot(q, q.yzx + 33.33); return fract((q.x + q.y) * q.z); }
float noise(vec2 p) {
  vec2 i = floor(p), f = fract(p); f = f * f * (3.0 - 2.0 * f);
  return mix(mix(hash(i), hash(i + vec2(1, 0)), f.x), mix(hash(i + vec2(0, 1)), hash(i + vec2(1, 1)), f.x), f.y);
}
float fbm(vec2 p) { float s = 0.0, a = 0.5; for (int i = 0; i < 4; i++) { s += a * noise(p); p *= 2.03; a *= 0.5; } return s; }
"""

ENVIRONMENT = """
uniform vec3 sun_dir; uniform vec3 sun_colour; uniform vec3 sky_colour; uniform vec3 horizon_colour; uniform vec3 ground_colour;
vec3 environment(vec3 d) {
  float h = d.z;
  vec3 sky = mix(horizon_colour, sky_colour, smoothstep(0.0, 0.55, h));
  float az = atan(d.y, d.x);
  float skyline = 0.16 + 0.13 * sin(az * 3.0 + 1.0) + 0.06 * sin(az * 11.0) + 0.12 * step(0.2, sin(az * 7.0 + 2.0));
  vec3 town = ground_colour * (0.55 + 0.35 * step(0.0, sin(az * 60.0)));
  vec3 above = mix(town, sky, smoothstep(skyline - 0.03, skyline + 0.03, h));
  return mix(ground_colour * 0.8, above, smoothstep(-0.02, 0.01, h));
}
"""

FILM = """
uniform float exposure; uniform vec2 size_px;
vec3 film(vec3 c) {
  vec2 d = gl_FragCoord.xy / size_px - 0.5; c *= exposure * (1.0 - 0.45 * dot(d, d));
  c = 1.0 - exp(-c); c = mix(c * 12.92, 1.055 * pow(max(c, 1e-5), vec3(1.0 / 2.4)) - 0.055, step(0.0031308, c));
  return mix(vec3(dot(c, vec3(0.3, 0.6, 0.1))), c, 0.92);
}
"""

SURFACE = (
    "#version 330\n"
    + NOISE
    + FILM
    + ENVIRONMENT
    + """
in vec3 world; in vec3 local; in vec3 normal; in vec3 local_normal; in vec3 colour;
in vec2 rough_metal; flat in int kind; in vec2 uv;
uniform vec3 eye; uniform mat4 sun_static; uniform mat4 sun_moving; uniform sampler2DShadow shadow_static;
uniform sampler2DShadow shadow_moving; uniform vec3 paint; uniform vec4 glow; uniform vec4 seams;
uniform float dirt; uniform float night; uniform float wet; uniform float fog; uniform sampler2D plate;
uniform vec4 lamps[10]; uniform vec3 lamp_colour; uniform float spin; uniform float seed; uniform vec3 lens;
layout(location = 0) out vec4 lit; layout(location = 1) out vec4 unlit;

float shadow(sampler2DShadow map, mat4 m, vec3 p, float bias) {
  vec3 q = (m * vec4(p, 1.0)).xyz * 0.5 + 0.5;
  if (any(lessThan(q.xy, vec2(0.005))) || any(greaterThan(q.xy, vec2(0.995)))) return 1.0;
  vec2 t = 1.1 / vec2(textureSize(map, 0));
  float s = 0.0;
  for (int i = 0; i < 4; i++) s += texture(map, vec3(q.xy + t * vec2(i % 2 == 0 ? -0.6 : 0.6, i < 2 ? -0.6 : 0.6), q.z - bias));
  return s * 0.25;
}

float shadow1(sampler2DShadow map, mat4 m, vec3 p, float bias) {
  vec3 q = (m * vec4(p, 1.0)).xyz * 0.5 + 0.5;
  if (any(lessThan(q.xy, vec2(0.005))) || any(greaterThan(q.xy, vec2(0.995)))) return 1.0;
  return texture(map, vec3(q.xy, q.z - bias));
}

void main() {
  vec3 n = normalize(normal), v = normalize(eye - world);
  if (dot(n, v) < 0.0 && kind == 11) n = -n;
  vec3 albedo = colour, emit = vec3(0.0); float rough = rough_metal.x, metal = rough_metal.y, mirror = 0.0, ao = 1.0;
#ifdef MOVING
  if (kind == 1) {                                        // paint, with seams and dirt
    albedo = colour * paint; mirror = 1.0;
    if (abs(local_normal.y) > 0.55) {
      float d = min(min(abs(local.x - seams.x), abs(local.x - seams.y)), abs(local.x - seams.z));
      if (local.z > 0.32 && seams.w > 0.0) albedo *= mix(0.25, 1.0, smoothstep(0.006, 0.016, d));
      if (seams.w > 0.0) albedo *= mix(0.45, 1.0, smoothstep(0.004, 0.014, abs(local.z - seams.w)) * 0.5 + 0.5);
    } else if (local_normal.z > 0.6 && seams.w > 0.0) {
      albedo *= mix(0.35, 1.0, smoothstep(0.005, 0.015, abs(local.x - seams.x - 0.12)));
    }
    float low = smoothstep(0.75, 0.15, local.z) * (0.4 + 0.6 * fbm(local.xz * 6.0 + seed)) * dirt;
    albedo = mix(albedo, vec3(0.16, 0.14, 0.11), low); mirror *= 1.0 - low; rough = mix(rough, 0.9, low);
    ao = mix(0.45, 1.0, smoothstep(0.05, 0.75, local.z));
  } else if (kind == 2) {                                 // glass before a dark interior with head-rests
    float seats = smoothstep(0.11, 0.06, length(vec2(abs(abs(local.y) - 0.36), local.z - 1.13) * vec2(1.0, 0.8)));
    float dash = smoothstep(0.08, 0.0, abs(local.z - 0.98));
    albedo = colour * (1.0 + 0.8 * smoothstep(0.9, 1.4, local.z)) + vec3(0.035, 0.032, 0.03) * seats + 0.012 * dash;
    mirror = 1.6;
  } else if (kind == 3) { albedo = texture(plate, uv, -0.7).rgb; mirror = 0.3; emit = albedo * 0.10 * night * 2.0; }
  else if (kind == 4) {                                   // rim: five spokes over a dark drum
    float r = length(uv), a = atan(uv.y, uv.x) + spin;
    float spoke = smoothstep(-0.15, 0.25, cos(a * 5.0) + (0.35 - r) * 1.2);
    albedo = mix(vec3(0.02), colour, max(spoke, max(smoothstep(0.86, 0.93, r), smoothstep(0.24, 0.20, r))));
  } else if (kind == 15) { albedo = colour * pow(paint, vec3(1.5)) * 0.7 * (0.75 + 0.35 * fbm(local.xz * 9.0 + seed));
  } else if (kind == 5) { emit = lens * glow.x; mirror = 0.8; }
  else if (kind == 6) { emit = vec3(1.0, 0.035, 0.02) * glow.y; mirror = 0.8; }
  else if (kind == 7) { emit = vec3(1.0, 0.34, 0.02) * glow.z; mirror = 0.6; }
  else if (kind == 8) { emit = vec3(1.0, 0.34, 0.02) * glow.w; mirror = 0.6; }
#else
  if (kind == 9) {                                   // house front: shops below, windows above
    float h = hash(floor(colour.rg * 997.0) + floor(colour.b * 331.0));
    if (abs(n.z) < 0.5) {
      vec2 cell = vec2(uv.x / (2.6 + h), (uv.y - 4.2) / 3.1); vec2 id = floor(cell), f = fract(cell);
      float win = step(0.22, f.x) * step(f.x, 0.78) * step(0.22, f.y) * step(f.y, 0.80);
      float frame = win * (1.0 - step(0.26, f.x) * step(f.x, 0.74) * step(0.26, f.y) * step(f.y, 0.76) * step(0.02, abs(f.x - 0.5)));
      albedo *= 0.85 + 0.25 * fbm(uv * 0.35 + h * 9.0) - 0.10 * smoothstep(0.04, 0.0, f.y);
      if (uv.y > 4.2) {
        float on = step(0.72, hash(id + h * 71.0));
        vec3 pane = mix(vec3(0.03, 0.035, 0.04), vec3(0.22, 0.21, 0.19), step(0.6, hash(id * 1.7 + h)));
        albedo = mix(albedo, pane, win); albedo = mix(albedo, vec3(0.5), frame);
        mirror = win * 0.8 * (1.0 - frame); rough = mix(rough, 0.1, win);
        emit = vec3(1.0, 0.72, 0.40) * win * on * night * 0.55;
      } else {
        float shop = floor(uv.x / 5.3), fx = fract(uv.x / 5.3); vec3 tint = 0.5 + 0.5 * cos(6.283 * (vec3(0, 0.33, 0.67) + hash(vec2(shop, h * 50.0))));
        float sign_band = step(3.05, uv.y) * step(uv.y, 3.95) * step(0.03, fx) * step(fx, 0.97);
        float letters = sign_band * step(0.5, noise(vec2(uv.x * 5.0, uv.y * 4.0 + shop))) * step(3.25, uv.y) * step(uv.y, 3.75) * step(0.2, fx) * step(fx, 0.8);
        float door = step(0.15, uv.y) * step(uv.y, 2.8) * step(0.05, fx) * step(fx, 0.95) * step(0.012, abs(fx - 0.5)) * step(0.012, abs(fx - 0.25));
        albedo = mix(albedo, vec3(0.05, 0.05, 0.055) + 0.12 * tint * noise(uv * vec2(1.5, 3.0)), door); mirror = door * 0.7;
        albedo = mix(albedo, mix(tint * 0.35, vec3(0.75), letters), sign_band);
        emit = (sign_band * mix(tint * 0.6, vec3(1.0), letters) + door * vec3(0.9, 0.75, 0.5) * 0.5) * night * 0.55;
      }
    }
  } else if (kind == 10 || kind == 14) {                  // asphalt, and paint on it
    vec2 p = world.xy;
    float grain = noise(p * 38.0) * 0.5 + noise(p * 90.0) * 0.5, patchy = fbm(p * 0.16), fine = fbm(p * 2.3);
    vec3 stone = vec3(0.098, 0.096, 0.093) * (0.72 + 0.42 * patchy + 0.30 * (grain - 0.5) + 0.22 * (fine - 0.5));
    float crack = smoothstep(0.012, 0.0, abs(fbm(p * 0.55 + 7.0) - 0.5)) * smoothstep(0.45, 0.6, fbm(p * 0.07 + 3.0));
    stone *= 1.0 - 0.45 * crack;
    float lane = abs(fract(world.y / 3.5) - 0.5);         // oil in the middle of a lane, tracks polished by tyres
    stone *= 1.0 - 0.16 * smoothstep(0.16, 0.0, lane) * (0.5 + patchy) + 0.06 * smoothstep(0.1, 0.0, abs(lane - 0.25));
    vec2 cover = fract(p / vec2(23.0, 14.0)) * vec2(23.0, 14.0) - vec2(11.0, 5.0);
    if (kind == 10) stone = mix(stone, vec3(0.05) + 0.03 * step(0.0, sin(cover.x * 60.0) * sin(cover.y * 60.0)), smoothstep(0.36, 0.34, length(cover)));
    albedo = stone; rough = 0.92;
    if (kind == 14) { float worn = smoothstep(0.30, 0.55, fbm(p * 3.1) * 0.6 + grain * 0.45 + 0.18); albedo = mix(stone, colour * (0.85 + 0.2 * fine), worn * 0.93); }
    if (wet > 0.0) { float pool = smoothstep(0.42, 0.60, patchy); albedo *= mix(0.55, 0.40, pool); mirror = wet * mix(0.35, 0.9, pool); rough = 0.3; n = normalize(n + 0.03 * vec3(fine - 0.5, grain - 0.5, 0.0)); }
  } else if (kind == 11) { albedo *= 0.7 + 0.6 * hash(floor(world.xy * 4.0) + floor(world.z * 3.0)); ao = 0.8; }
  else if (kind == 12) { albedo = colour; rough = 0.4; emit = colour * night * 0.15; }
  else if (kind == 13) {                                  // paving slabs
    vec2 q = fract(world.xy / vec2(0.6, 0.3) + vec2(0.5 * floor(world.y / 0.3), 0.0));
    albedo *= 0.85 + 0.3 * hash(floor(world.xy / vec2(0.6, 0.3))) * 0.5 + 0.15 * fbm(world.xy);
    albedo *= 1.0 - 0.3 * (1.0 - step(0.03, q.x) * step(0.06, q.y));
    if (wet > 0.0) { albedo *= 0.6; mirror = 0.5 * wet; }
  }
#endif
  float facing = max(dot(n, v), 0.0), fresnel = pow(1.0 - facing, 5.0);
  vec3 r = reflect(-v, n), reflected = environment(r);
  vec3 ambient = mix(ground_colour * 0.8, sky_colour * 0.55 + horizon_colour * 0.45, n.z * 0.5 + 0.5);
  float k = mirror * (0.045 + 0.85 * fresnel) * (1.0 - 0.4 * rough);
  vec3 base = albedo * ambient * ao * (1.0 - 0.5 * metal) + reflected * k + metal * albedo * reflected * 0.8;
#ifdef LAMPS
  for (int i = 0; i < 10; i++) {
    vec3 to = lamps[i].xyz - world; float d2 = dot(to, to); vec3 l = to * inversesqrt(d2);
    float cone = smoothstep(0.15, 0.75, l.z); vec3 hl = normalize(l + v);
    float spec = pow(max(dot(n, hl), 0.0), mix(160.0, 20.0, rough)) * (mirror + 0.05) * 1.2;
    base += lamp_colour * lamps[i].w * cone / (d2 + 6.0) * (albedo * max(dot(n, l), 0.0) * ao + spec);
  }
#endif
  vec3 direct = vec3(0.0);
#ifdef SUN
  float ndl = max(dot(n, sun_dir), 0.0), sun = 0.0;
#ifdef MOVING
  sun = shadow1(shadow_static, sun_static, world + n * 0.06, 0.0006) * shadow1(shadow_moving, sun_moving, world + n * 0.07, 0.0008);
#else
  sun = shadow(shadow_static, sun_static, world + n * 0.06, 0.0006);
#endif
  vec3 h = normalize(sun_dir + v); float shine = mix(220.0, 8.0, sqrt(rough));
  direct = sun_colour * sun * ndl * (albedo * (1.0 - 0.6 * metal) + (0.04 + 0.5 * metal * albedo + 0.10 * mirror) * pow(max(dot(n, h), 0.0), shine) * shine * 0.06);
  if (kind == 11) direct += sun_colour * sun * albedo * 0.25 * max(dot(-n, sun_dir), 0.0);
#endif
  float far = 1.0 - exp(-fog * length(eye - world));
  lit = vec4(film(mix(base + emit + direct, horizon_colour, far)), 1.0);
  #ifdef SUN
  unlit = vec4(film(mix(base + emit, horizon_colour, far)), 1.0);
#else
  unlit = lit;
#endif
}
"""
)

DEPTH_FRAGMENT = """
#version 330
uniform vec2 tag; layout(location = 0) out vec4 id;
void main() { id = vec4(tag, 0.0, 1.0); }
"""

SCREEN_VERTEX = """
#version 330
out vec2 at;
void main() { at = vec2(gl_VertexID % 2, gl_VertexID / 2) * 2.0; gl_Position = vec4(at * 2.0 - 1.0, 0.9999999, 1.0); }
"""

SKY = (
    "#version 330\n"
    + NOISE
    + FILM
    + """
in vec2 at; uniform mat4 inverse_view_proj; uniform vec3 eye; uniform vec3 sky_colour; uniform vec3 horizon_colour; uniform float clouds;
layout(location = 0) out vec4 lit; layout(location = 1) out vec4 unlit;
void main() {
  vec4 p = inverse_view_proj * vec4(at * 2.0 - 1.0, 1.0, 1.0); vec3 d = normalize(p.xyz / p.w - eye);
  vec3 c = mix(horizon_colour, sky_colour, smoothstep(0.0, 0.5, d.z));
  float cloud = smoothstep(0.45, 0.75, fbm(d.xy / max(d.z + 0.12, 0.05) * 0.9)) * clouds;
  lit = unlit = vec4(film(mix(c, horizon_colour * 1.15, cloud)), 1.0);
}
"""
)

SHRINK = """
#version 330
in vec2 at; uniform sampler2D one; uniform sampler2D two; layout(location = 0) out vec4 lit; layout(location = 1) out vec4 unlit;
void main() { lit = texture(one, at); unlit = texture(two, at); }
"""

COMPOSE = """
#version 330
in vec2 at; uniform sampler2D lit_map; uniform sampler2D unlit_map; uniform sampler2D depth_map; uniform sampler2DShadow shadow_moving;
uniform mat4 to_sun; uniform bool sunny; uniform float show;
layout(location = 0) out vec4 o; layout(location = 1) out vec4 unlit;
void main() {
  float z = texture(depth_map, at).r; gl_FragDepth = z;
  vec4 lit = texture(lit_map, at); unlit = texture(unlit_map, at);
  if (sunny && z < 1.0) {
    vec4 p = to_sun * vec4(vec3(at, z) * 2.0 - 1.0, 1.0); vec3 q = p.xyz / p.w * 0.5 + 0.5;
    if (all(greaterThan(q.xy, vec2(0.0))) && all(lessThan(q.xy, vec2(1.0)))) {
      vec2 t = 1.2 / vec2(textureSize(shadow_moving, 0)); float s = 0.0;
      for (int i = 0; i < 4; i++) s += texture(shadow_moving, vec3(q.xy + t * vec2(i % 2 == 0 ? -0.6 : 0.6, i < 2 ? -0.6 : 0.6), q.z - 0.001));
      if (s < 4.0) lit = mix(unlit, lit, s * 0.25);
    }
  }
  o = lit * show;
}
"""

GROUND_VERTEX = """
#version 330
in vec2 in_corner; uniform mat4 view_proj; uniform mat4 model; uniform vec4 span; out vec2 at; out vec4 clip;
void main() {
  at = in_corner; vec2 p = mix(span.xy, span.zw, in_corner * 0.5 + 0.5);
  gl_Position = view_proj * model * vec4(p, 0.03, 1.0); clip = gl_Position;
}
"""

CONTACT = """
#version 330
in vec2 at; uniform float strength; layout(location = 0) out vec4 o; layout(location = 1) out vec4 unlit;
void main() { vec2 e = smoothstep(vec2(1.0), vec2(0.45), abs(at)); o = unlit = vec4(vec3(1.0 - strength * e.x * e.y), 1.0); }
"""

POOL = """
#version 330
in vec2 at; in vec4 clip; uniform sampler2D unlit_map; uniform vec3 light; uniform float gain; layout(location = 0) out vec4 o; layout(location = 1) out vec4 unlit;
void main() {
  vec2 screen = clip.xy / clip.w * 0.5 + 0.5; vec3 ground = texture(unlit_map, screen).rgb;
  float along = at.x * 0.5 + 0.5, across = abs(at.y);
  float beam = smoothstep(0.0, 0.12, along) * pow(1.0 - along, 1.5) * smoothstep(1.0, 0.1, across / (0.35 + 0.65 * along));
  o = unlit = vec4((ground * 0.8 + 0.02) * light * beam * gain, 0.0);
}
"""
