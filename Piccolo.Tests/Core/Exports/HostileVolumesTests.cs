using System.Formats.Tar;
using System.Text;
using System.Text.Json;
using Piccolo.Core.Exports;
using Piccolo.Core.Exports.Trees;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Exports;

/// <summary>Full exports that somebody made who has the keys: authentic, and not what an appliance writes. Each is refused, and leaves nothing.</summary>
[Category("Sealed")]
internal sealed class HostileVolumesTests : ExportFixture
{
    private const string Id = FolderVolumes.FirstId;
    private const string Root = "volumes/" + Id;

    private static readonly string Contents = ContentsOf(Id);

    /// <summary>The least that is taken: otherwise the table shows nothing.</summary>
    [Test]
    public async Task Import_WhatTheTableBeginsWith_IsTaken()
    {
        using var fresh = new Fresh();
        var bytes = await ForgeAsync(Contents, [Folder(Root), Folder(Root + "/cipher"), Regular(Root + "/cipher/a", "text"), new Sum(Root)]);

        Assert.That(await fresh.TryAsync(bytes), Is.InstanceOf<ImportOutcome.Done>());

        Assert.That(await File.ReadAllTextAsync(Path.Combine(fresh.Box.Paths.Volumes, Id, "cipher", "a")), Is.EqualTo("text"));
    }

    [TestCaseSource(nameof(Hostile))]
    public async Task Import_AuthenticButHostileVolume_IsRefusedAndWritesNothing(string contents, object[] entries, string detail)
    {
        using var fresh = new Fresh(limits: new TreeLimits { Entries = 8, Segments = 4, LinkedFiles = 1, NameLength = 300 });
        using var outside = new TempFolder();
        await File.WriteAllTextAsync(outside.File("secret"), "untouched");
        foreach (var entry in entries.OfType<PaxTarEntry>().Where(e => e.LinkName is "{outside}")) entry.LinkName = outside.Path;

        var outcome = await fresh.TryAsync(await ForgeAsync(contents, entries));

        Assert.That(outcome, Is.InstanceOf<ImportOutcome.Refused>());
        Assert.That(((ImportOutcome.Refused)outcome).Detail, Does.Contain(detail));
        fresh.AssertUntouched();
        Assert.That(Directory.GetFileSystemEntries(outside.Path), Is.EqualTo(new[] { outside.File("secret") }));
        Assert.That(await File.ReadAllTextAsync(outside.File("secret")), Is.EqualTo("untouched"));
    }

    private static IEnumerable<TestCaseData> Hostile()
    {
        object[] whole = [Folder(Root), Regular(Root + "/a", "text"), new Sum(Root)];
        yield return Case("contents: none", "", whole, "does not begin with its contents");
        yield return Case("contents: no JSON", "{", whole, "list of contents");
        yield return Case("contents: null", """{"volumes":null,"left_out":[]}""", whole, "list of contents");
        yield return Case("contents: a volume that is null", """{"volumes":[null],"left_out":[]}""", whole, "list of contents");
        yield return Case("contents: an id that climbs", ContentsOf("../0123456789abcdef0123456789abc"), whole, "list of contents");
        yield return Case("contents: one id twice", ContentsOf(Id, Id), whole, "list of contents");
        yield return Case("contents: too large", Contents + new string(' ', 16 * 1024 * 1024), whole, "does not begin with its contents");
        yield return Case("contents: twice", Contents, [Text("contents.json", Contents), .. whole], "does not belong there");
        yield return Case("volume: that nobody named", ContentsOf(), whole, "does not belong there");
        yield return Case("volume: that is missing", ContentsOf(Id, FolderVolumes.SecondId), whole, "missing");
        yield return Case("volume: without its digest", Contents, whole[..2], "missing");
        yield return Case("volume: twice", Contents, [.. whole, .. whole], "does not belong there");
        yield return Case("volume: without a folder", Contents, [Regular(Root, "text"), new Sum(Root)], "without a folder");
        yield return Case("volume: a link", Contents, [Link(Root, "{outside}"), new Sum(Root)], "without a folder");
        yield return Case("volume: another inside", ContentsOf(Id, FolderVolumes.SecondId),
            [Folder(Root), Folder("volumes/" + FolderVolumes.SecondId), new Sum(Root)], "outside of its folder");
        yield return Case("store: twice", Contents, [.. whole, Text("control.db", "x")], "twice");
        yield return Case("store: as a link", Contents, [.. whole, Link("control.db", "{outside}")], "belong there");
        yield return Case("digest: of something else", Contents,
            [Folder(Root), Regular(Root + "/a", "text"), new Sum(Root, s => s with { Sha256 = new string('0', 64) })],
            "digest is another");
        yield return Case("digest: of fewer bytes", Contents,
            [Folder(Root), Regular(Root + "/a", "text"), new Sum(Root, s => s with { Bytes = 3 })], "digest is another");
        yield return Case("digest: of fewer entries", Contents, [Folder(Root), Regular(Root + "/a", "text"), new Sum(Root, s => s with { Entries = 1 })],
            "digest is another");
        yield return Case("digest: null", Contents, [Folder(Root), Text(Root + ".json", "null")], "digest is another");
        yield return Case("digest: no JSON", Contents, [Folder(Root), Text(Root + ".json", "}")], "a digest that is none");
        yield return Case("digest: too large", Contents, [Folder(Root), Text(Root + ".json", new string(' ', 2000))], "without its digest");
        yield return Case("name: that climbs", Contents, [Folder(Root), Regular(Root + "/../../evil", "x")], "leaves its folder");
        yield return Case("name: absolute", Contents, [Folder(Root), Regular("/etc/evil", "x")], "leaves its folder");
        yield return Case("name: with an empty part", Contents, [Folder(Root), Regular(Root + "//evil", "x")], "leaves its folder");
        yield return Case("name: with a dot", Contents, [Folder(Root), Regular(Root + "/./evil", "x")], "leaves its folder");
        yield return Case("name: too long", Contents, [Folder(Root), Regular($"{Root}/{new string('x', 300)}", "x")], "leaves its folder");
        yield return Case("name: below a link", Contents,
            [Folder(Root), Link(Root + "/l", "{outside}"), Regular(Root + "/l/evil", "x")], "outside of its folder");
        yield return Case("name: below a file", Contents, [Folder(Root), Regular(Root + "/f", "x"), Regular(Root + "/f/evil", "x")], "outside of its folder");
        yield return Case("name: in a folder that was not entered", Contents, [Folder(Root), Regular(Root + "/d/evil", "x")], "outside of its folder");
        yield return Case("name: in a folder that was left", Contents,
            [Folder(Root), Folder(Root + "/d"), Regular(Root + "/f", "x"), Regular(Root + "/d/evil", "x")], "outside of its folder");
        yield return Case("name: a file twice", Contents, [Folder(Root), Regular(Root + "/f", "x"), Regular(Root + "/f", "y")], "twice");
        yield return Case("name: a file over a link", Contents, [Folder(Root), Link(Root + "/f", "{outside}"), Regular(Root + "/f", "y")], "twice");
        yield return Case("name: a folder over a link", Contents, [Folder(Root), Link(Root + "/f", "{outside}"), Folder(Root + "/f")], "twice");
        yield return Case("kind: a device", Contents, [Folder(Root), Entry(TarEntryType.CharacterDevice, Root + "/null")], "unknown kind");
        yield return Case("kind: a disk", Contents, [Folder(Root), Entry(TarEntryType.BlockDevice, Root + "/sda")], "unknown kind");
        yield return Case("link: to a file of the host", Contents, [Folder(Root), Hard(Root + "/h", "/etc/passwd")], "no file of the volume");
        yield return Case("link: through a link", Contents,
            [Folder(Root), Link(Root + "/l", "{outside}"), Hard(Root + "/h", Root + "/l/secret")], "no file of the volume");
        yield return Case("link: to the store", Contents, [Folder(Root), Hard(Root + "/h", "control.db")], "no file of the volume");
        yield return Case("link: to a file of one name", Contents,
            [Folder(Root), Regular(Root + "/f", "x"), Hard(Root + "/h", Root + "/f")], "no file of the volume");
        yield return Case("link: too many files of several names", Contents,
            [Folder(Root), Regular(Root + "/f", "x", (TreeAttributes.Linked, "1")), Regular(Root + "/g", "x", (TreeAttributes.Linked, "1"))], "several names");
        yield return Case("entries: too many", Contents,
            [Folder(Root), .. Enumerable.Range(0, 9).Select(i => Regular($"{Root}/{i}", "x"))], "too many entries");
        yield return Case("owner: none", Contents, [Folder(Root), new PaxTarEntry(TarEntryType.RegularFile, Root + "/f")], "not what an appliance writes");
        foreach (var owner in (string[])["", "0", "x:y", "0:0:0", "-1:0", "4294967296:0"])
            yield return Case($"owner: '{owner}'", Contents,
                [Folder(Root), Regular(Root + "/f", "x", (TreeAttributes.Owner, owner))], "not what an appliance writes");
        foreach (var time in (string[])["1", "1.5", "1.0000000000", "x.000000000", "99999999999999999999.000000000"])
            yield return Case($"time: '{time}'", Contents,
                [Folder(Root), Regular(Root + "/f", "x", (TreeAttributes.Changed, time))], "not what an appliance writes");
        yield return Case("attribute: of the host", Contents,
            [Folder(Root), Regular(Root + "/f", "x", (Extended("security.capability"), "AAAA"))], "not a file's own");
        yield return Case("attribute: no base64", Contents,
            [Folder(Root), Regular(Root + "/f", "x", (Extended("user.x"), "***"))], "not what an appliance writes");
        foreach (var (what, length, parts) in Maps())
            yield return Case($"holes: {what}", Contents,
                [Folder(Root), Regular(Root + "/f", parts, (TreeAttributes.Holes, length))], "not what an appliance writes");
    }

    /// <summary>Lengths and maps of files with holes; all data are one byte.</summary>
    private static IEnumerable<(string What, string Length, byte[] Data)> Maps()
    {
        yield return ("a length that is none", "x", Map((0, 1)));
        yield return ("a negative length", "-1", Map((0, 1)));
        yield return ("larger than any disk", $"{1L << 50}", Map((0, 1)));
        yield return ("no map", "10", [1]);
        yield return ("a cut map", "10", Map((0, 1))[..10]);
        yield return ("too many parts", "10", Map((0, 1), (1, 1), (2, 1), (3, 1), (4, 1)));
        yield return ("a count that is negative", "10", [0xFF, 0xFF, 0xFF, 0xFF]);
        yield return ("parts that overlap", "10", Map((0, 2), (1, 2)));
        yield return ("parts in disorder", "10", Map((5, 1), (0, 1)));
        yield return ("a part outside", "10", Map((9, 2)));
        yield return ("a part that wraps around", "10", Map((long.MaxValue, 2)));
        yield return ("an empty part", "10", Map((1, 0)));
        yield return ("more data than parts", "10", [.. Map((0, 1)), 1]);
        yield return ("less data than parts", "10", Map((0, 5))[..^1]);
    }

    private static byte[] Map(params (long Offset, long Length)[] parts)
    {
        var data = parts.Sum(p => Math.Min(p.Length, 100));
        return [.. FileParts.Write([.. parts.Select(p => new FilePart(p.Offset, p.Length))]), .. new byte[data]];
    }

    private static TestCaseData Case(string name, string contents, object[] entries, string detail) =>
        new TestCaseData(contents, entries, detail).SetArgDisplayNames(name);

    private static string ContentsOf(params string[] ids) => Encoding.UTF8.GetString(
        new ExportContents { Volumes = [.. ids.Select(id => new ExportedVolume("app", "data", "data", id))], LeftOut = [] }.Write());

    private static PaxTarEntry Folder(string name) => Entry(TarEntryType.Directory, name);

    private static PaxTarEntry Link(string name, string target)
    {
        var entry = Entry(TarEntryType.SymbolicLink, name);
        entry.LinkName = target;
        return entry;
    }

    private static PaxTarEntry Hard(string name, string target)
    {
        var entry = Entry(TarEntryType.HardLink, name);
        entry.LinkName = target;
        return entry;
    }

    private static PaxTarEntry Regular(string name, string text, params (string, string)[] attributes) =>
        Regular(name, Encoding.UTF8.GetBytes(text), attributes);

    private static PaxTarEntry Regular(string name, byte[] data, params (string, string)[] attributes)
    {
        var entry = Entry(TarEntryType.RegularFile, name, attributes);
        entry.DataStream = new MemoryStream(data);
        return entry;
    }

    private static PaxTarEntry Text(string name, string text) =>
        new(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)) };

    private static PaxTarEntry Entry(TarEntryType type, string name, params (string Name, string Value)[] attributes)
    {
        var own = new Dictionary<string, string> { [TreeAttributes.Owner] = "0:0", [TreeAttributes.Changed] = "1.000000000" };
        foreach (var (key, value) in attributes) own[key] = value;
        return new PaxTarEntry(type, name, own);
    }

    private static string Extended(string name) =>
        TreeAttributes.From(default, [new ExtendedAttribute(name, [])]).Keys.Single(k => k.Contains("xattr", StringComparison.Ordinal));

    private async Task<byte[]> ForgeAsync(string contents, object[] entries)
    {
        var plain = new MemoryStream();
        await using (var tar = new TarWriter(plain, TarEntryFormat.Pax, leaveOpen: true))
        {
            if (contents.Length > 0) await tar.WriteEntryAsync(Text(ExportContents.EntryName, contents));
            await _box.WriteStoreAsync(tar);
            using var digest = new TreeDigest();
            foreach (var entry in entries)
            {
                if (entry is Sum sum)
                {
                    var summary = JsonSerializer.Serialize(sum.Change(digest.Finish()), ExportContents.Json);
                    await tar.WriteEntryAsync(Text(TreeSummary.NameOf(sum.Volume), summary));
                    continue;
                }
                var next = (PaxTarEntry)entry;
                digest.Add(next);
                if (next.DataStream is MemoryStream data)
                {
                    digest.AddData(data.ToArray());
                    data.Position = 0;
                }
                await tar.WriteEntryAsync(next);
            }
        }
        return await _box.SealAsync(plain.ToArray(), ExportHeader.ContentsVersion);
    }

    /// <summary>The digest of the entries before it, as it is or as a liar has it.</summary>
    private sealed record Sum(string Volume, Func<TreeSummary, TreeSummary>? Lie = null)
    {
        public TreeSummary Change(TreeSummary whole) => Lie?.Invoke(whole) ?? whole;
    }
}
