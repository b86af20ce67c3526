using System.Formats.Tar;
using Piccolo.Core.Containers.Podman;

namespace Piccolo.Tests.Core.Containers;

internal sealed class FolderTarTests
{
    [Test]
    public async Task Copy_OneFolder_KeepsOwnersModesLinksAndAttributes()
    {
        var lengthy = "var/lib/data/" + new string('x', 200);
        using var source = await TarAsync(
            Entry(TarEntryType.Directory, "var/lib/"), Entry(TarEntryType.Directory, "var/lib/data/", owner: 5),
            Entry(TarEntryType.RegularFile, "var/lib/data/f", owner: 7, content: [1, 2, 3]),
            Entry(TarEntryType.RegularFile, lengthy, content: new byte[100_000]),
            Entry(TarEntryType.SymbolicLink, "var/lib/data/to", link: "../else"), Entry(TarEntryType.HardLink, "var/lib/data/same", link: "var/lib/data/f"),
            Entry(TarEntryType.RegularFile, "var/lib/data/empty"), Entry(TarEntryType.RegularFile, "var/lib/database", content: [9]));

        using var target = new MemoryStream();
        await FolderTar.CopyAsync(source, "/var/lib/data", "data", target, default);

        target.Position = 0;
        await using var reader = new TarReader(target);
        var seen = new List<(string, TarEntryType, int, long, string)>();
        while (await reader.GetNextEntryAsync() is PaxTarEntry entry)
        {
            seen.Add((entry.Name, entry.EntryType, entry.Uid, entry.Length, entry.LinkName));
            Assert.That(entry.Mode, Is.EqualTo((UnixFileMode)0b111_101_000));
            Assert.That(entry.ExtendedAttributes["SCHILY.xattr.user.mark"], Is.EqualTo("kept"));
        }
        Assert.That(seen, Is.EqualTo(new[]
        {
            ("data/", TarEntryType.Directory, 5, 0L, ""), ("data/f", TarEntryType.RegularFile, 7, 3L, ""),
            ("data/" + new string('x', 200), TarEntryType.RegularFile, 0, 100_000L, ""), ("data/to", TarEntryType.SymbolicLink, 0, 0L, "../else"),
            ("data/same", TarEntryType.HardLink, 0, 0L, "data/f"), ("data/empty", TarEntryType.RegularFile, 0, 0L, ""),
        }));
    }

    [Test]
    public async Task Copy_HardLinkToTheOutside_IsRefused()
    {
        using var source = await TarAsync(Entry(TarEntryType.HardLink, "data/f", link: "else/f"));

        Assert.That(async () => await FolderTar.CopyAsync(source, "/data", "data", new MemoryStream(), default), Throws.InstanceOf<InvalidDataException>());
    }

    [Test]
    public void Copy_NoTar_Throws() => Assert.That(
        async () => await FolderTar.CopyAsync(new MemoryStream(Enumerable.Repeat((byte)'x', 2000).ToArray()), "/data", "data", new MemoryStream(), default),
        Throws.InstanceOf<InvalidDataException>());

    private static PaxTarEntry Entry(TarEntryType type, string name, int owner = 0, byte[]? content = null, string? link = null)
    {
        var entry = new PaxTarEntry(type, name, new Dictionary<string, string> { ["SCHILY.xattr.user.mark"] = "kept" })
        {
            Uid = owner,
            Mode = (UnixFileMode)0b111_101_000,
        };
        if (content is not null) entry.DataStream = new MemoryStream(content);
        if (link is not null) entry.LinkName = link;
        return entry;
    }

    /// <summary>Read as from a socket.</summary>
    private static async Task<Stream> TarAsync(params PaxTarEntry[] entries)
    {
        var tar = new MemoryStream();
        await using (var writer = new TarWriter(tar, leaveOpen: true))
            foreach (var entry in entries) await writer.WriteEntryAsync(entry);
        tar.Position = 0;
        return System.IO.Pipelines.PipeReader.Create(tar).AsStream();
    }
}
