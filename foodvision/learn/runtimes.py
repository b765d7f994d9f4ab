"""The formats of `foodvision export`: how each is written, and run to check it. Each needs its own packages."""

import json
import platform
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import torch
from torch import Tensor, nn

from .mobile import Format, Run

DESCRIPTION = "foodvision.json"  # what a file calls the description in it
HALF_TOLERANCE = 0.02  # of probability, with weights of 16 bits
SMALL = 64  # numbers: weights that stay in 32 bits, such as shapes and factors


def _write_torch(model: nn.Module, pixels: Tensor, description: dict[str, Any], path: Path) -> None:
    program = torch.export.export(model, (pixels,))
    torch.export.save(program, path, extra_files={DESCRIPTION: json.dumps(description)})


def _load_torch(path: Path) -> Run:
    program = torch.export.load(path).module()
    return lambda photo: program(torch.tensor(photo)).detach().numpy()


def _write_executorch(model: nn.Module, pixels: Tensor, description: dict[str, Any], path: Path) -> None:
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower

    program = torch.export.export(model, (pixels,))
    lowered = to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()])
    path.write_bytes(lowered.to_executorch().buffer)
    _attach(description, path)


def _load_executorch(path: Path) -> Run:
    from executorch.runtime import Runtime

    method = Runtime.get().load_program(path).load_method("forward")
    return lambda photo: method.execute([torch.tensor(photo)])[0].numpy()


def _write_litert(model: nn.Module, pixels: Tensor, description: dict[str, Any], path: Path) -> None:
    import litert_torch

    litert_torch.convert(model, (pixels,)).export(str(path))
    _attach(description, path)


def _load_litert(path: Path) -> Run:
    from ai_edge_litert.interpreter import Interpreter

    program = Interpreter(str(path)).get_signature_runner()
    (name,) = program.get_input_details()
    return lambda photo: next(iter(program(**{name: photo}).values()))


def _attach(description: dict[str, Any], path: Path) -> None:
    """Append the description to a file as a ZIP archive, which is how TensorFlow Lite's models carry other files."""
    with ZipFile(path, "a") as archive:
        archive.writestr(DESCRIPTION, json.dumps(description))


def _write_coreml(model: nn.Module, pixels: Tensor, description: dict[str, Any], path: Path) -> None:
    import coremltools

    program = torch.export.export(model, (pixels,)).run_decompositions({})
    converted = coremltools.convert(
        program,
        inputs=[coremltools.TensorType(name="pixels", shape=pixels.shape)],
        outputs=[coremltools.TensorType(name="probabilities")],
        compute_precision=coremltools.precision.FLOAT32,
        skip_model_load=True,
    )
    converted.user_defined_metadata[DESCRIPTION] = json.dumps(description)
    converted.save(str(path))


def _load_coreml(path: Path) -> Run | None:
    if platform.system() != "Darwin":
        return None
    import coremltools

    program = coremltools.models.MLModel(str(path))
    return lambda photo: program.predict({"pixels": photo})["probabilities"]


def _write_half(model: nn.Module, pixels: Tensor, description: dict[str, Any], path: Path) -> None:
    """An ONNX file that Classifier serves, with weights of 16 bits; they are widened when it is loaded."""
    import onnx

    from .compile import export_onnx

    metadata = {name: json.dumps(value) for name, value in description.items()} | {"pickle_sha256": ""}
    export_onnx(model[0], tuple(pixels.shape[1:]), metadata, path)
    proto = onnx.load(path)
    for weight in [one for one in proto.graph.initializer if one.data_type == onnx.TensorProto.FLOAT]:
        numbers = onnx.numpy_helper.to_array(weight)
        if numbers.size < SMALL:
            continue
        narrow = onnx.numpy_helper.from_array(numbers.astype(np.float16), f"{weight.name}.half")
        widen = onnx.helper.make_node("Cast", [narrow.name], [weight.name], to=onnx.TensorProto.FLOAT)
        proto.graph.initializer.remove(weight)
        proto.graph.initializer.append(narrow)
        proto.graph.node.insert(0, widen)
    onnx.save(proto, path)


def _load_half(path: Path) -> Run:
    from ..answer.classifier import Classifier

    return Classifier(path).probabilities


FORMATS = {
    "torch": Format(".pt2", _write_torch, _load_torch),
    "executorch": Format(".pte", _write_executorch, _load_executorch),
    "litert": Format(".tflite", _write_litert, _load_litert),
    "coreml": Format(".mlpackage", _write_coreml, _load_coreml),
    "onnx-fp16": Format(".fp16.onnx", _write_half, _load_half, HALF_TOLERANCE),
}
