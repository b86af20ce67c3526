using System.Diagnostics;
using System.Formats.Tar;
using System.Globalization;
using System.Text;
using Piccolo.Core.Primitives;
using Piccolo.Core.Volumes.Filling;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Volumes;

/// <summary>Owners can be given away by root only.</summary>
[Category("NeedsRoot")]
internal sealed class VolumeFillTests
{
    private static readonly FillLimits Limits = new(1_000_000, 1000);

    private TempFolder _folder = null!;
    private string _volume = null!;

    [SetUp]
    public void SetUp()
    {
        _folder = new TempFolder();
        _volume = Directory.CreateDirectory(_folder.File("volume")).FullName;
        File.WriteAllText(_folder.File("outside"), "outside");
    }

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public async Task Unpack_FolderOfAnImage_KeepsContentOwnersModesAndTimes()
    {
        await UnpackAsync(TarText.Of(
            TarText.Dir("data/", TarText.Folder | UnixFileMode.StickyBit, owner: 999),
            TarText.File("data/a b", "hello", UnixFileMode.UserRead, owner: 1000),
            TarText.Dir("data/deep/er"),
            TarText.File("data/deep/er/x", ""),
            TarText.Link("data/link", "/etc/passwd"),
            TarText.Link("data/hard", "data/a b", TarEntryType.HardLink)), firstHostId: 100_000);

        Assert.Multiple(() =>
        {
            Assert.That(File.ReadAllText(In("a b")), Is.EqualTo("hello"));
            Assert.That(File.GetUnixFileMode(In("a b")), Is.EqualTo(UnixFileMode.UserRead));
            Assert.That(File.GetLastWriteTimeUtc(In("a b")), Is.EqualTo(new DateTime(2020, 2, 3, 4, 5, 6, DateTimeKind.Utc)));
            Assert.That(File.GetUnixFileMode(_volume), Is.EqualTo(TarText.Folder | UnixFileMode.StickyBit));
            Assert.That(new FileInfo(In("link")).LinkTarget, Is.EqualTo("/etc/passwd"));
            Assert.That(File.ReadAllText(In("hard")), Is.EqualTo("hello"));
            Assert.That(new FileInfo(In("deep/er/x")).Length, Is.Zero);
            Assert.That(OwnerOf(_volume), Is.EqualTo(100_999));
            Assert.That(OwnerOf(In("a b")), Is.EqualTo(101_000));
            Assert.That(OwnerOf(In("link")), Is.EqualTo(100_000));
        });
    }

    [Test]
    public async Task Unpack_SpecialBits_AreNotTakenOntoFiles()
    {
        await UnpackAsync(TarText.Of(
            TarText.Dir("d", TarText.Folder | UnixFileMode.SetGroup | UnixFileMode.SetUser),
            TarText.File("d/su", mode: TarText.Folder | UnixFileMode.SetUser | UnixFileMode.SetGroup)));

        Assert.That(File.GetUnixFileMode(In("su")), Is.EqualTo(TarText.Folder));
        Assert.That(File.GetUnixFileMode(_volume), Is.EqualTo(TarText.Folder | UnixFileMode.SetGroup), "it hands the group on, and harms nobody");
    }

    private static IEnumerable<TestCaseData> Hostile()
    {
        yield return Case("leads up", TarText.Of(TarText.Dir("d"), TarText.File("d/../../outside")), "leads out");
        yield return Case("leads up in the middle", TarText.Of(TarText.Dir("d"), TarText.File("d/a/../../../outside")), "leads out");
        yield return Case("absolute", [.. TarText.Header("/etc/x", '0'), .. TarText.End], "absolute");
        yield return Case("another folder", TarText.Of(TarText.Dir("d"), TarText.File("e/x")), "does not lie in");
        yield return Case("below a link out", TarText.Of(TarText.Dir("d"), TarText.Link("d/l", ".."), TarText.File("d/l/outside")), "below what is no folder");
        yield return Case("below a link within", TarText.Of(TarText.Dir("d"), TarText.Dir("d/in"), TarText.Link("d/l", "in"), TarText.File("d/l/x")),
            "below what is no folder");
        yield return Case("over a link", TarText.Of(TarText.Dir("d"), TarText.Link("d/l", "../../outside"), TarText.File("d/l")), "twice");
        yield return Case("folder over a link", TarText.Of(TarText.Dir("d"), TarText.Link("d/l", ".."), TarText.Dir("d/l")), "is no folder");
        yield return Case("link over the folder", TarText.Of(TarText.Link("d", "/")), "is not a folder");
        yield return Case("file as the folder", TarText.Of(TarText.File("d")), "is not a folder");
        yield return Case("hard link out", TarText.Of(TarText.Dir("d"), TarText.Link("d/h", "../outside", TarEntryType.HardLink)), "leads out");
        yield return Case("hard link absolute", TarText.Of(TarText.Dir("d"), TarText.Link("d/h", "/etc/passwd", TarEntryType.HardLink)), "absolute");
        yield return Case("hard link through a link", TarText.Of(TarText.Dir("d"), TarText.Link("d/l", ".."),
            TarText.Link("d/h", "d/l/outside", TarEntryType.HardLink)), "below what is no folder");
        yield return Case("hard link to a link", TarText.Of(TarText.Dir("d"), TarText.Link("d/l", "../../outside"),
            TarText.Link("d/h", "d/l", TarEntryType.HardLink)), "no file of the volume");
        yield return Case("hard link to nothing", TarText.Of(TarText.Dir("d"), TarText.Link("d/h", "d/none", TarEntryType.HardLink)), "no file of the volume");
        yield return Case("character device", [.. TarText.Header("d/", '5'), .. TarText.Header("d/null", '3'), .. TarText.End], "kind that no volume takes");
        yield return Case("block device", [.. TarText.Header("d/", '5'), .. TarText.Header("d/sda", '4'), .. TarText.End], "kind that no volume takes");
        yield return Case("unknown kind", [.. TarText.Header("d/", '5'), .. TarText.Header("d/x", 'S'), .. TarText.End], "");
        yield return Case("owner out of the block", TarText.Of(TarText.Dir("d", owner: 65_536)), "no app has them");
        yield return Case("same file twice", TarText.Of(TarText.Dir("d"), TarText.File("d/x"), TarText.File("d/x")), "twice");
        yield return Case("names nothing", [.. TarText.Header("./", '5'), .. TarText.End], "names nothing");
        yield return Case("deeper than any folder",
            TarText.Of(TarText.Dir("d"), TarText.File("d/" + string.Concat(Enumerable.Repeat("a/", 300)) + "x")), "is none");
        yield return Case("empty stream", [], "cut off");
        yield return Case("no end", TarText.Of(TarText.Dir("d"), TarText.File("d/x"))[..^1024], "cut off");
        yield return Case("cut in a header", TarText.Of(TarText.Dir("d"), TarText.File("d/x"))[..700], "cut off");
        yield return Case("cut in the content", [.. TarText.Header("d/", '5'), .. TarText.Header("d/x", '0', "00000001000"), .. new byte[100]], "cut off");
        yield return Case("no tar", Encoding.ASCII.GetBytes(new string('x', 4096)), "damaged");
        yield return Case("size that is no number", [.. TarText.Header("d/x", '0', "zzzzzzzzzzz"), .. TarText.End], "damaged");
    }

    [TestCaseSource(nameof(Hostile))]
    public async Task Unpack_HostileTar_IsRefusedAndNothingOutsideIsTouched(byte[] tar, string why)
    {
        var refused = await Assert.ThrowsAsync<FillRefusedException>(() => UnpackAsync(tar));

        Assert.That(refused!.Message, Does.Contain(why));
        Assert.That(refused.IsTooLarge, Is.False);
        Assert.That(File.ReadAllText(_folder.File("outside")), Is.EqualTo("outside"));
        Assert.That(Directory.EnumerateFileSystemEntries(_folder.Path).Select(Path.GetFileName), Is.EquivalentTo(new[] { "outside", "volume" }));
    }

    private static IEnumerable<TestCaseData> TooMuch()
    {
        yield return Case("claims a gigabyte", [.. TarText.Header("d/", '5'), .. TarText.Header("d/x", '0', "10000000000"), .. TarText.End], "larger than");
        yield return Case("two that are too much together", TarText.Of(
            TarText.Dir("d"), TarText.File("d/a", new string('a', 600_000)), TarText.File("d/b", new string('b', 600_000))), "larger than");
        yield return Case("too many", TarText.Of([TarText.Dir("d"), .. Enumerable.Range(0, 1000).Select(i => TarText.Dir($"d/{i}"))]), "more than 1000 files");
    }

    [TestCaseSource(nameof(TooMuch))]
    public async Task Unpack_MoreThanTheLimit_IsRefusedAsTooLarge(byte[] tar, string why)
    {
        var refused = await Assert.ThrowsAsync<FillRefusedException>(() => UnpackAsync(tar));

        Assert.That(refused!.IsTooLarge, Is.True);
        Assert.That(refused.Message, Does.Contain(why));
        Assert.That(new DirectoryInfo(_volume).EnumerateFiles().Sum(f => f.Length), Is.LessThanOrEqualTo(Limits.Bytes));
    }

    /// <summary>Endless: the stream makes one entry after the other, and remembers none.</summary>
    [Test, Category("Timing")]
    public async Task Unpack_AMillionAndOneEntries_AreRefusedAtTheMillionAndFirst()
    {
        var entry = TarText.Header("d/", '5');
        var limits = new FillLimits(long.MaxValue);

        var refused = await Assert.ThrowsAsync<FillRefusedException>(
            () => new VolumeFill(_volume, 0, limits).UnpackAsync(new RepeatedBlock(entry, FillLimits.MaxEntries + 1L), CancellationToken.None));

        Assert.That(refused!.Message, Does.Contain("more than 1000000 files"));
    }

    [Test]
    public async Task Unpack_Pipe_IsMade()
    {
        await UnpackAsync([.. TarText.Header("d/", '5'), .. TarText.Header("d/pipe", '6'), .. TarText.End]);

        Assert.That(FileFacts.Of(In("pipe"), out _)!.Value.Kind, Is.EqualTo(FileKind.Other));
    }

    private static TestCaseData Case(string name, byte[] tar, string why) => new TestCaseData(tar, why).SetArgDisplayNames(name);

    private string In(string name) => Path.Combine(_volume, name);

    private static int OwnerOf(string path)
    {
        using var stat = Process.Start(new ProcessStartInfo("stat", ["-c", "%u", path]) { RedirectStandardOutput = true })!;
        return int.Parse(stat.StandardOutput.ReadToEnd(), CultureInfo.InvariantCulture);
    }

    private async Task UnpackAsync(byte[] tar, uint firstHostId = 0)
    {
        // As a network hands it over: in pieces, and without seeking.
        await using var stream = new PiecewiseStream(tar, [1, 7, 512, 1000]);
        await new VolumeFill(_volume, firstHostId, Limits).UnpackAsync(stream, CancellationToken.None);
    }
}
