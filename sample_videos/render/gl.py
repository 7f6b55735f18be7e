"""Renders the street with OpenGL without a display: what stands still once, then per frame only what moves.

The still layer is rendered twice as large, lit and without sun, and kept with its depth; a frame composes the two
by the shadows of what moves, and draws what moves into the same depth. Software GL (Mesa llvmpipe) is enough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import moderngl
import numpy as np
from numpy.typing import NDArray

from sample_videos.render import shaders
from sample_videos.render.camera import Camera, Floats
from sample_videos.render.item import WHITE_LAMP, Item
from sample_videos.render.light import Light
from sample_videos.render.mesh import Mesh

Pixels = NDArray[np.uint8]
EGL: dict[str, Any] = {"backend": "egl"}
SHADOW_STILL, SHADOW_MOVING = 4096, 2048


@dataclass
class _Gpu:
    program: Any
    arrays: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class _Layer:
    """A picture with sun, the same without, its depth, and the target that draws into them."""

    lit: Any
    unlit: Any
    depth: Any
    target: Any


class Renderer:
    """One camera in one light. ``meshes`` are what items may use, ``simple`` their stand-ins for shadows and identity."""

    def __init__(
        self,
        camera: Camera,
        light: Light,
        still: Mesh,
        meshes: Mapping[str, Mesh],
        simple: Mapping[str, Mesh],
        *,
        lamps: Sequence[tuple[float, float, float]] = (),
    ) -> None:
        self._camera, self._light = camera, light
        self._ctx = ctx = moderngl.create_standalone_context(**EGL)
        self._wide, self._high = camera.size_px
        self._surface = _Gpu(self._surface_program("MOVING"))
        self._still = _Gpu(self._surface_program("STILL"))
        self._depth = _Gpu(ctx.program(vertex_shader=shaders.VERTEX, fragment_shader=shaders.DEPTH_FRAGMENT))
        self._screen = {
            name: ctx.program(vertex_shader=shaders.SCREEN_VERTEX, fragment_shader=source)
            for name, source in (
                ("sky", shaders.SKY),
                ("shrink", shaders.SHRINK),
                ("compose", shaders.COMPOSE),
            )
        }
        self._ground = {
            name: ctx.program(vertex_shader=shaders.GROUND_VERTEX, fragment_shader=source)
            for name, source in (("contact", shaders.CONTACT), ("pool", shaders.POOL))
        }
        for name, mesh in meshes.items():
            self._upload(self._surface, name, mesh)
            self._upload(self._depth, name, simple.get(name, mesh))
        self._upload(self._still, "still", still)
        self._upload(self._depth, "still", still)
        corners = ctx.buffer(np.array([(-1, -1), (1, -1), (-1, 1), (1, 1)], "f4").tobytes())
        self._corners = {
            name: ctx.vertex_array(p, [(corners, "2f", "in_corner")]) for name, p in self._ground.items()
        }
        self._empty = {name: ctx.vertex_array(p, []) for name, p in self._screen.items()}
        self._plates: dict[str, Any] = {"": ctx.texture((1, 1), 3, b"\xc8\xc8\xc8")}
        self._view = camera.matrix()
        self._sun_wide, self._sun_near = self._sun(95.0), self._sun(42.0)
        self._lamps = sorted(
            lamps, key=lambda p: (p[0] - camera.target[0]) ** 2 + (p[1] - camera.target[1]) ** 2
        )[:10]
        self._shadow_still = self._shadow_target(SHADOW_STILL)
        self._shadow_moving = self._shadow_target(SHADOW_MOVING)
        self._still_layer, self._rest_layer = self._layer(), self._layer()
        self._frame = ctx.framebuffer(
            [ctx.renderbuffer(camera.size_px, 4)], ctx.depth_renderbuffer(camera.size_px)
        )
        self._resting: list[object] = []
        small = (self._wide // 2, self._high // 2)
        self._ids = ctx.framebuffer([ctx.renderbuffer(small, 4)], ctx.depth_renderbuffer(small))
        self._render_still()

    def add_plate(self, name: str, picture: Pixels) -> None:
        """Makes a plate's picture, RGB (h, w, 3), known under ``name``."""
        if name not in self._plates:
            linear = (np.power(picture / 255.0, 2.2) * 255).astype(np.uint8)
            texture = self._ctx.texture(
                (picture.shape[1], picture.shape[0]), 3, np.ascontiguousarray(linear[::-1]).tobytes()
            )
            texture.build_mipmaps()
            texture.filter = (moderngl.LINEAR_MIPMAP_LINEAR, moderngl.LINEAR)
            texture.anisotropy = 4.0
            self._plates[name] = texture

    def render(self, moving: Sequence[Item], resting: Sequence[Item] = ()) -> Pixels:
        """The picture, RGB uint8 (height, width, 3), before noise and weather.

        ``resting`` items are kept as drawn until their looks or their number change.
        """
        looks: list[object] = [
            (item.item_id, item.mesh, item.glow, item.lens, item.model.tobytes()) for item in resting
        ]
        layer = self._rest_layer if resting else self._still_layer
        if resting and looks != self._resting:
            self._draw(resting, self._still_layer, self._rest_layer.target)
            self._resting = looks
        self._draw(moving, layer, self._frame)
        data = self._frame.read(components=3, alignment=1)
        return np.frombuffer(data, np.uint8).reshape(self._high, self._wide, 3)[::-1]

    def _draw(self, items: Sequence[Item], layer: _Layer, target: Any) -> None:
        """The layer with the items and their shadows, into the target."""
        ctx = self._ctx
        sunny = self._light.sun[0] > 0.0
        ctx.enable(moderngl.DEPTH_TEST)
        ctx.depth_func = "<="
        if sunny:
            self._shadow_moving[0].use()
            self._shadow_moving[0].clear(depth=1.0)
            self._draw_depth(items, self._sun_near)
        target.use()
        target.clear(0.0, 0.0, 0.0, 0.0, 1.0)
        self._compose(layer, sunny=sunny)
        self._draw_ground(items, layer, target)
        program = self._surface.program
        self._set_surface(program, self._camera.size_px)
        for item in items:
            self._plates[item.plate].use(0)
            _set(
                program,
                model=_gl(item.model),
                paint=item.paint,
                glow=item.glow,
                lens=item.lens,
                spin=item.spin,
                seed=item.seed,
                dirt=item.dirt,
                seams=item.seams,
            )
            self._surface.arrays[item.mesh].render()

    def _compose(self, layer: _Layer, *, sunny: bool, show: float = 1.0) -> None:
        compose = self._screen["compose"]
        for unit, texture in (
            (1, layer.lit),
            (2, layer.unlit),
            (3, layer.depth),
            (4, self._shadow_moving[1]),
        ):
            texture.use(unit)
        to_sun = self._sun_near @ np.linalg.inv(self._view)
        _set(
            compose,
            lit_map=1,
            unlit_map=2,
            depth_map=3,
            shadow_moving=4,
            sunny=sunny,
            show=show,
            to_sun=_gl(to_sun),
        )
        self._empty["compose"].render(moderngl.TRIANGLE_STRIP, vertices=4)

    def identities(self, items: Sequence[Item]) -> NDArray[np.uint16]:
        """Which item (its ``item_id``, 0 for none) is in front, at half the picture's size."""
        ctx = self._ctx
        ctx.enable(moderngl.DEPTH_TEST)
        ctx.depth_func = "<="
        self._ids.use()
        self._ids.clear(0.0, 0.0, 0.0, 0.0, 1.0)
        self._compose(self._still_layer, sunny=False, show=0.0)
        self._draw_depth(items, self._view)
        raw = np.frombuffer(self._ids.read(components=4, alignment=1), np.uint8)
        raw = raw.reshape(self._high // 2, self._wide // 2, 4)[::-1]
        return raw[:, :, 0].astype(np.uint16) + raw[:, :, 1].astype(np.uint16) * 256

    def release(self) -> None:
        """Frees the context."""
        self._ctx.release()

    def _upload(self, gpu: _Gpu, name: str, mesh: Mesh) -> None:
        vertices = self._ctx.buffer(np.ascontiguousarray(mesh.vertices, "f4").tobytes())
        index = self._ctx.buffer(np.ascontiguousarray(mesh.triangles, "u4").tobytes())
        content: list[Any]
        if gpu is self._depth:
            content = [(vertices, "3f 44x", "in_pos")]
        else:
            content = [(vertices, "3f 3f 3f 3f 2f", "in_pos", "in_normal", "in_colour", "in_look", "in_uv")]
        gpu.arrays[name] = self._ctx.vertex_array(gpu.program, content, index)

    def _sun(self, reach: float) -> Floats:
        direction = np.array(self._light.sun_dir)
        direction /= np.linalg.norm(direction)
        middle = np.array([*self._camera.target[:2], 0.0])
        side = np.cross([0.0, 0.0, 1.0], direction)
        side /= np.linalg.norm(side)
        matrix = np.eye(4)
        matrix[:3, :3] = np.stack([side / reach, np.cross(direction, side) / reach, -direction / 160.0])
        matrix[:3, 3] = -matrix[:3, :3] @ middle
        return matrix

    def _shadow_target(self, size: int) -> tuple[Any, Any]:
        texture = self._ctx.depth_texture((size, size))
        texture.compare_func = "<="
        texture.filter = (moderngl.LINEAR, moderngl.LINEAR)
        target = self._ctx.framebuffer(depth_attachment=texture)
        target.clear(depth=1.0)
        return target, texture

    def _draw_depth(self, items: Sequence[Item], matrix: Floats) -> None:
        _set(self._depth.program, view_proj=_gl(matrix))
        for item in items:
            tag = (item.item_id % 256 / 255.0, item.item_id // 256 / 255.0)
            _set(self._depth.program, model=_gl(item.model), tag=tag)
            self._depth.arrays[item.mesh].render()

    def _surface_program(self, which: str) -> Any:
        """Only what is needed is compiled: software GL computes every branch for every pixel."""
        needed = [which] + ["SUN"] * (self._light.sun[0] > 0.0) + ["LAMPS"] * (self._light.night > 0.0)
        first, rest = shaders.SURFACE.split("\n", 1)
        source = "\n".join([first, *(f"#define {name}" for name in needed), rest])
        return self._ctx.program(vertex_shader=shaders.VERTEX, fragment_shader=source)

    def _layer(self) -> _Layer:
        size = self._camera.size_px
        lit, unlit = (self._ctx.texture(size, 4) for _ in range(2))
        depth = self._ctx.depth_texture(size)
        depth.compare_func = ""
        depth.filter = (moderngl.NEAREST, moderngl.NEAREST)
        return _Layer(lit, unlit, depth, self._ctx.framebuffer([lit, unlit], depth))

    def _set_surface(self, program: Any, size_px: tuple[int, int]) -> None:
        light = self._light
        self._shadow_still[1].use(5)
        self._shadow_moving[1].use(4)
        lamps = [(*lamp, 1.0) for lamp in self._lamps] + [(0.0, 0.0, 1000.0, 0.0)] * (10 - len(self._lamps))
        _set(
            program,
            view_proj=_gl(self._view),
            eye=self._camera.eye,
            sun_static=_gl(self._sun_wide),
            sun_moving=_gl(self._sun_near),
            shadow_static=5,
            shadow_moving=4,
            plate=0,
            night=light.night,
            wet=light.wet,
            fog=light.fog,
            lamps=[value for lamp in lamps for value in lamp],
            lamp_colour=light.street_lamps,
            lens=WHITE_LAMP,
            exposure=light.exposure,
            size_px=size_px,
            **self._sky_colours(),
        )

    def _sky_colours(self) -> dict[str, Any]:
        light = self._light
        direction = np.array(light.sun_dir) / np.linalg.norm(light.sun_dir)
        return {
            "sun_dir": tuple(direction),
            "sun_colour": light.sun,
            "sky_colour": light.sky,
            "horizon_colour": light.horizon,
            "ground_colour": light.ground,
        }

    def _draw_ground(self, items: Sequence[Item], layer: _Layer, target: Any) -> None:
        ctx, light = self._ctx, self._light
        ctx.enable(moderngl.BLEND)
        target.depth_mask = False
        contact, pool = self._ground["contact"], self._ground["pool"]
        ctx.blend_func = moderngl.DST_COLOR, moderngl.ZERO
        _set(contact, view_proj=_gl(self._view), strength=light.contact)
        for item in items:
            half_long, half_wide = item.footprint_m
            if half_long > 0.0:
                x, y = half_long * 1.08, half_wide * 1.18
                _set(contact, model=_gl(item.model), span=(-x, -y, x, y))
                self._corners["contact"].render(moderngl.TRIANGLE_STRIP)
        if light.headlamps > 1.0:
            ctx.blend_func = moderngl.ONE, moderngl.ONE
            layer.unlit.use(2)
            gain = 0.55 if light.night > 0.8 else 0.12
            _set(pool, view_proj=_gl(self._view), unlit_map=2, light=WHITE_LAMP, gain=gain)
            for item in items:
                if item.beams:
                    x, y = item.footprint_m
                    _set(pool, model=_gl(item.model), span=(x, -y * 3.0, x + 16.0, y * 3.0))
                    self._corners["pool"].render(moderngl.TRIANGLE_STRIP)
        ctx.disable(moderngl.BLEND)
        target.depth_mask = True

    def _render_still(self) -> None:
        ctx = self._ctx
        ctx.enable(moderngl.DEPTH_TEST)
        ctx.depth_func = "<="
        still = [Item(mesh="still", model=np.eye(4))]
        self._shadow_still[0].use()
        self._draw_depth(still, self._sun_wide)
        big = (self._wide * 2, self._high * 2)
        many = ctx.framebuffer(
            [ctx.renderbuffer(big, 4, samples=4, dtype="f1") for _ in range(2)],
            ctx.depth_renderbuffer(big, samples=4),
        )
        one = [ctx.texture(big, 4) for _ in range(2)]
        flat = ctx.framebuffer(one)
        many.use()
        many.clear(0.0, 0.0, 0.0, 1.0, 1.0)
        _set(
            self._screen["sky"],
            inverse_view_proj=_gl(np.linalg.inv(self._view)),
            eye=self._camera.eye,
            clouds=self._light.clouds,
            exposure=self._light.exposure,
            size_px=big,
            **self._sky_colours(),
        )
        self._empty["sky"].render(moderngl.TRIANGLE_STRIP, vertices=4)
        self._plates[""].use(0)
        self._set_surface(self._still.program, big)
        _set(self._still.program, model=_gl(np.eye(4)), paint=(1.0, 1.0, 1.0), glow=(0.0,) * 4)
        self._still.arrays["still"].render()
        ctx.copy_framebuffer(flat, many)
        self._still_layer.target.use()
        self._still_layer.target.clear(0.0, 0.0, 0.0, 0.0, 1.0)
        ctx.disable(moderngl.DEPTH_TEST)
        one[0].use(1)
        one[1].use(2)
        _set(self._screen["shrink"], one=1, two=2)
        self._empty["shrink"].render(moderngl.TRIANGLE_STRIP, vertices=4)
        ctx.enable(moderngl.DEPTH_TEST)
        deep = ctx.framebuffer(depth_attachment=self._still_layer.depth)
        deep.use()
        deep.clear(depth=1.0)
        self._draw_depth(still, self._view)
        many.release()
        flat.release()
        for texture in one:
            texture.release()


def _gl(matrix: NDArray[Any]) -> bytes:
    return np.ascontiguousarray(matrix.T, "f4").tobytes()


def _set(program: Any, **values: Any) -> None:
    """Sets the uniforms that the program really has: compilers drop unused ones."""
    for name, value in values.items():
        if name not in program:
            continue
        uniform = program[name]
        if isinstance(value, bytes):
            uniform.write(value)
        elif name == "lamps":
            uniform.write(np.array(value, "f4").tobytes())
        else:
            uniform.value = value
