"""TorchScript files that write files, start processes or use libraries are refused before any of them runs."""

import zipfile

import pytest
import torch
from torch import Tensor, nn

import cocoa_widget as cw
from cocoa_widget.encoders.sources.program_rules import NAMESPACES, REFUSED, Refused, check_archive, check_graphs

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit")


class Mean(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(2).mean(2)


def _rewritten(path, change, **files):
    """Save a program, and change its source code as PyTorch would never write it."""
    torch.jit.script(Mean()).save(path)
    with zipfile.ZipFile(path) as archive:
        contents = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in contents.items():
            ours = name.endswith(".py")
            archive.writestr(name, change(data.decode()).encode() if ours else files.get(name.rpartition("/")[2], data))
    return path


def _refused(path, says):
    with pytest.raises(ValueError, match=rf"{path.name} .*{says}.*so it was not run. Where you trust it, .*Encoder"):
        cw.load_encoder(f"torchscript/{path}")


def _in_forward(line):
    """Insert a line into `forward` and return its value, so that PyTorch does not remove it."""
    return lambda source: source.replace("return _0", f"w = {line}\n    return torch.add(_0, w)")


def _by_default(line):
    return lambda source: (
        f"{source}  def g(self: __torch__.{__name__}.Mean,\n    y: Tensor={line}) -> Tensor:\n    return y\n"
    )


def _while_loading(line):
    state = f"  def __getstate__(self: __torch__.{__name__}.Mean) -> Tuple[bool]:\n    return (True,)\n"
    return lambda source: (
        f"{source}{state}  def __setstate__(self: __torch__.{__name__}.Mean,\n    s: Tuple[bool]) -> NoneType:\n"
        f"    {line}\n"
        "    self.training = (s)[0]\n    return None\n"
    )


WAYS = {"forward": _in_forward, "default": _by_default, "setstate": _while_loading}


def test_the_rewritten_source_has_the_expected_lines(tmp_path):
    seen = []
    _rewritten(tmp_path / "p.pt", lambda source: seen.append(source) or source)
    assert "return _0" in seen[0]
    assert "class Mean(Module):" in seen[0]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "line",
    [
        "torch.fill_(torch.from_file({path}, True, 4), 1.)",
        "ops.aten.from_file({path}, True, 4)",
        'getattr(torch, "from_file")({path}, True, 4)',
        'getattr(torch, "\\146rom_file")({path}, True, 4)',
        'getattr(torch, "from_" "file")({path}, True, 4)',
        'getattr(torch, "from\\137" "file")({path}, True, 4)',
        "torch . from_file({path}, True, 4)",
    ],
)
def test_files_are_not_written(way, line, tmp_path):
    marker = tmp_path / "written"
    path = _rewritten(tmp_path / "p.pt", WAYS[way](line.format(path=f'"{marker}"')))
    _refused(path, "uses from_file in .*it opens a file")
    assert not marker.exists()


@pytest.mark.parametrize("way", WAYS)
def test_saving_is_refused(way, tmp_path):
    marker = tmp_path / "written"
    path = _rewritten(tmp_path / "p.pt", WAYS[way](f'torch.save(torch.zeros([1]), "{marker}")'))
    _refused(path, "uses save in .*it writes a file")
    assert not marker.exists()


def test_default_values_of_arguments_run_when_pytorch_loads_them(tmp_path):
    """This is why the source is read before the file is loaded; if the test fails, PyTorch has become safer."""
    marker = tmp_path / "written"
    line = f'torch.fill_(torch.from_file("{marker}", True, 4), 1.)'
    torch.jit.load(_rewritten(tmp_path / "p.pt", _by_default(line)))
    assert marker.exists()


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('ops.image.write_file("a", torch.zeros([1]))', "uses ops.image.write_file"),
        ('ops . image . write_file("a", torch.zeros([1]))', "uses ops in"),
        ('getattr(ops, "image").write_file("a", torch.zeros([1]))', "uses ops in"),
        ('getattr(ops.aten, "relu")(_0)', "uses ops.aten in"),
        ("ops.inductor._reinterpret_tensor(_0, [9], [1], 0)", "uses ops.inductor"),
        ('ops.prim.rpc_sync("a", "b")', "uses rpc_sync"),
        ("__torch__.torch.classes.evil.Library()", r"uses __torch__.torch.classes.evil.Library .* C\+\+ class"),
        ("__torch__ . torch . classes . evil . Library()", "uses __torch__ in"),
        ('getattr(__torch__.torch, "classes").evil.Library()', "uses __torch__.torch in"),
        ("__torch__.torch. classes.evil.Library()", "uses __torch__.torch in"),
        ("'\"'  # \"", "PyTorch did not write"),
        ('"""a"""', "PyTorch did not write"),
    ],
)
def test_operations_of_other_libraries_are_refused(line, says, tmp_path):
    _refused(_rewritten(tmp_path / "p.pt", _in_forward(line)), says)


def test_classes_in_pickles_are_refused(tmp_path):
    for split in ("__torch__.torch.classes\nevil.Library", "__torch__.torch.classes.evil\nLibrary"):
        pickled = b"\x80\x02c" + split.encode() + b"\n)\x81."
        path = _rewritten(tmp_path / "p.pt", str, **{"data.pkl": pickled})
        _refused(path, "__torch__.torch.classes.evil.Library in data.pkl")


def test_archives_that_can_be_read_in_two_ways_are_refused(tmp_path):
    path = _rewritten(tmp_path / "p.pt", str)
    with zipfile.ZipFile(path, "a") as archive:
        source = next(name for name in archive.namelist() if name.endswith(".py"))
        root, _, rest = source.partition("/")
        archive.writestr(f"{root}/{rest.upper()}", "")
    _refused(path, "holds two files named")
    mobile = tmp_path / "mobile.pt"
    mobile.write_bytes(b"\0\0\0\0PTMF" + path.read_bytes())
    with pytest.raises(ValueError, match="damaged"):
        cw.load_encoder(f"torchscript/{mobile}")


class Writer(nn.Module):
    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(x.shape[0]):
            if x.sum() > 0:
                torch.save(x, self.path)
        return x


def _write(x: Tensor, path: str) -> Tensor:
    torch.save(x, path)
    return x


class Caller(nn.Module):
    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    def forward(self, x: Tensor) -> Tensor:
        return _write(x, self.path).flatten(2).mean(2)


@torch.jit.interface
class Step(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        pass


class ByInterface(nn.Module):
    step: Step

    def __init__(self, step: nn.Module) -> None:
        super().__init__()
        self.step = step

    def forward(self, x: Tensor) -> Tensor:
        return self.step.forward(x).flatten(2).mean(2)


@pytest.mark.parametrize("form", ["submodule", "function", "interface", "frozen"])
def test_writing_is_found_wherever_it_is_reached(form, tmp_path):
    marker = str(tmp_path / "written")
    program = {
        "submodule": lambda: torch.jit.script(nn.Sequential(Writer(marker), Mean())),
        "function": lambda: torch.jit.script(Caller(marker)),
        "interface": lambda: torch.jit.script(ByInterface(Writer(marker))),
        "frozen": lambda: torch.jit.freeze(torch.jit.script(nn.Sequential(Writer(marker), Mean())).eval()),
    }[form]()
    program.save(tmp_path / "p.pt")
    _refused(tmp_path / "p.pt", "uses save")
    with pytest.raises(Refused, match="aten::save"):
        check_graphs(program)


def test_graphs_that_nodes_hold_are_checked(tmp_path):
    outer = torch.parse_ir("graph(%x : Tensor):\n  %y : Tensor = aten::relu(%x)\n  return (%y)")
    inner = torch.parse_ir("graph(%x : Tensor):\n  %y : Tensor = evil::run(%x)\n  return (%y)")
    next(iter(outer.nodes())).g_("Subgraph", inner)

    class Method:
        graph = inlined_graph = outer

    class Program(nn.Module):
        _c = type("C", (), {"_method_names": lambda self: ["forward"], "_get_method": lambda self, name: Method})()

    with pytest.raises(Refused, match="uses evil::run"):
        check_graphs(Program())


class Talkative(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        if x.ndim != 4:
            raise ValueError('Images are wanted: save them, or use from_file or C++ ops. This can\'t "do" # more.')
        return x.flatten(2).mean(2)


class Saver(nn.Module):
    """A method of the program has the name of a refused operation, which itself is not used."""

    def forward(self, x: Tensor) -> Tensor:
        return {"save": x}["save"].flatten(2).mean(2)


@pytest.mark.parametrize("network", [Talkative(), Saver()])
def test_words_in_strings_are_no_operations(network, tmp_path):
    torch.jit.script(network).save(tmp_path / "p.pt")
    encoder = cw.load_encoder(f"torchscript/{tmp_path / 'p.pt'}", image_size=8, device="cpu", precision="float32")
    assert encoder.encode(torch.rand(1, 3, 8, 8)).shape == (1, 3)


@pytest.mark.filterwarnings("ignore:.*quantize_per_tensor")
def test_ordinary_networks_are_accepted(tmp_path):
    from torchvision import models

    for name in ("resnet18", "swin_t"):
        torch.jit.script(models.get_model(name, weights=None)).save(tmp_path / "p.pt")
        check_archive(tmp_path / "p.pt")
        check_graphs(torch.jit.load(tmp_path / "p.pt"))
    linear = torch.ao.quantization.quantize_dynamic(nn.Sequential(nn.Flatten(), nn.Linear(3, 2)).eval(), {nn.Linear})
    torch.jit.script(linear).save(tmp_path / "p.pt")
    check_archive(tmp_path / "p.pt")
    check_graphs(torch.jit.load(tmp_path / "p.pt"))


def test_every_operation_on_files_that_pytorch_knows_is_refused():
    words = ("file", "filename", "path", "uri", "url", "directory", "library")
    known = {
        schema.name
        for schema in torch._C._jit_get_all_schemas()
        for argument in schema.arguments
        if argument.name.lower() in words and "str" in str(argument.type)
    }
    assert {"aten::from_file", "aten::save"} <= known
    allowed = {name for name in known if name.partition("::")[0] in NAMESPACES}
    assert {name.partition("::")[2] for name in allowed} <= {*REFUSED}


def test_files_that_unpack_without_end_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("cocoa_widget.encoders.sources.checkpoint.MOST_UNPACKED", 1 << 20)
    path = _rewritten(tmp_path / "p.pt", str)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("p/data/0", bytes(4 << 20))
    for name in (f"torchscript/{path}", "torchvision/resnet18"):
        with pytest.raises(ValueError, match="would unpack to 4 MB"):
            cw.load_encoder(name, **({"weights": path} if "resnet" in name else {}))
