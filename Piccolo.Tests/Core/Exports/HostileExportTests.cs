using System.Buffers.Binary;
using System.Formats.Tar;
using System.Text;
using Piccolo.Core.Exports;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Files;

namespace Piccolo.Tests.Core.Exports;

/// <summary>Export files that are not what they say: changed, cut, or made by somebody who knows the password.</summary>
[Category("Sealed")]
internal sealed class HostileExportTests : ExportFixture
{
    [Test]
    public async Task Import_BitFlippedInEveryRegion_IsRefusedAndWritesNothing()
    {
        var bytes = await BytesAsync();
        var header = 22 + BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(18)) + 32;
        using var fresh = new Fresh();
        var random = new Random(11);
        // Magic, version, length, all over the JSON, its hash, each chunk's body and tag, the last byte.
        int[] places = [0, 13, 15, 16, 17, 18, 21, 22, header - 33, header - 32, header - 1, header, header + 20, header + 65536 + 3, header + 65536 + 16,
            bytes.Length - 17, bytes.Length - 1,
            .. Enumerable.Range(0, 12).Select(_ => random.Next(22, header)), .. Enumerable.Range(0, 12).Select(_ => random.Next(header, bytes.Length))];
        foreach (var place in places)
        {
            var flipped = (byte[])bytes.Clone();
            flipped[place] ^= (byte)(1 << random.Next(8));

            var outcome = await fresh.TryAsync(flipped);

            Assert.That(outcome, Is.InstanceOf<ImportOutcome.Refused>(), $"byte {place}");
            fresh.AssertUntouched();
        }
    }

    [Test]
    public async Task Import_TruncatedExtendedOrReordered_IsRefusedAndWritesNothing()
    {
        var bytes = await BytesAsync();
        var header = 22 + BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(18)) + 32;
        const int Chunk = 65536 + 16;
        Assert.That(bytes.Length, Is.GreaterThan(header + 2 * Chunk), "the export has several chunks");
        byte[][] hostile =
        [
            [], bytes[..10], bytes[..22], bytes[..(header - 1)], bytes[..header], bytes[..(header + 10)], bytes[..(header + Chunk)],
            bytes[..(header + Chunk + 5)], bytes[..^1],
            [.. bytes, 0], [.. bytes, .. new byte[Chunk]], [.. bytes, .. bytes[header..]],
            [.. bytes[..header], .. bytes[(header + Chunk)..]],
            [.. bytes[..header], .. bytes[(header + Chunk)..(header + 2 * Chunk)], .. bytes[header..(header + Chunk)], .. bytes[(header + 2 * Chunk)..]],
            [.. bytes[..(header + Chunk)], .. bytes[header..]],
            Encoding.ASCII.GetBytes("PK\u0003\u0004 something else"), new byte[100_000],
        ];
        using var fresh = new Fresh();
        foreach (var (i, file) in hostile.Index())
        {
            Assert.That(await fresh.TryAsync(file), Is.InstanceOf<ImportOutcome.Refused>(), $"case {i}");
            fresh.AssertUntouched();
        }
    }

    [Test]
    public async Task Import_HeaderThatPromisesTooMuch_IsRefusedBeforeItIsRead()
    {
        var bytes = await BytesAsync();
        using var fresh = new Fresh();
        foreach (var length in (int[])[int.MaxValue, -1, 0, 40_000])
        {
            BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(18), length);
            var refused = (ImportOutcome.Refused)await fresh.TryAsync(bytes);
            Assert.That(refused.Code, Is.EqualTo("export_damaged"));
        }
        fresh.AssertUntouched();
    }

    [Test]
    public async Task Import_OtherFormatOrNewerStore_SaysSo()
    {
        var bytes = await BytesAsync();
        using var fresh = new Fresh();
        var later = (byte[])bytes.Clone();
        later[17] = 3;
        Assert.That(((ImportOutcome.Refused)await fresh.TryAsync(later)).Code, Is.EqualTo("export_version"));

        var (header, _) = await ExportHeader.ReadAsync(new MemoryStream(bytes), CancellationToken.None);
        var (newer, _) = (header with { MinReader = 99 }).Write();
        Assert.That(((ImportOutcome.Refused)await fresh.TryAsync(newer)).Code, Is.EqualTo("schema_too_new"));
        fresh.AssertUntouched();
    }

    /// <summary>Files that somebody made who knows the password: authentic, and hostile.</summary>
    [TestCase("../keyset.json", TarEntryType.RegularFile, "")]
    [TestCase("{outside}/evil", TarEntryType.RegularFile, "")]
    [TestCase("volumes/../../evil", TarEntryType.RegularFile, "")]
    [TestCase("volumes//evil", TarEntryType.RegularFile, "")]
    [TestCase("volumes/link/evil", TarEntryType.RegularFile, "{outside}")]
    [TestCase("keyset.json", TarEntryType.RegularFile, "")]
    [TestCase("volumes/pipe", TarEntryType.Fifo, "")]
    [TestCase("volumes/hard", TarEntryType.HardLink, "/etc/passwd")]
    [TestCase("control.db", TarEntryType.RegularFile, "")]
    [TestCase("control.db", TarEntryType.SymbolicLink, "/etc/passwd")]
    public async Task Import_AuthenticButHostileContent_IsRefusedAndWritesNothing(string name, TarEntryType type, string link)
    {
        using var fresh = new Fresh();
        using var outside = new TempFolder();
        name = name.Replace("{outside}", outside.Path, StringComparison.Ordinal);
        link = link.Replace("{outside}", outside.Path, StringComparison.Ordinal);
        var bytes = await _box.ForgeAsync(async tar =>
        {
            if (name.Contains("/link/", StringComparison.Ordinal))
                await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.SymbolicLink, "volumes/link") { LinkName = link });
            var entry = new PaxTarEntry(type, name);
            if (type == TarEntryType.RegularFile) entry.DataStream = new MemoryStream("evil"u8.ToArray());
            else if (link.Length > 0) entry.LinkName = link;
            await tar.WriteEntryAsync(entry);
        });

        Assert.That(await fresh.TryAsync(bytes), Is.InstanceOf<ImportOutcome.Refused>());
        fresh.AssertUntouched();
        Assert.That(Directory.GetFileSystemEntries(outside.Path), Is.Empty);
    }

    [Test]
    public async Task Import_AuthenticButDamagedStore_IsRefused()
    {
        using var fresh = new Fresh();
        var copy = _folder.File("tampered.db");
        _box.Store.CopyTo(copy);
        RawStore.Execute(copy,
            "DELETE FROM rows WHERE rowid IS NULL OR id = (SELECT id FROM rows LIMIT 1)".Replace("rowid IS NULL OR ", "", StringComparison.Ordinal));

        var bytes = await _box.ForgeAsync(tar => tar.WriteEntryAsync(copy, "control.db"), withStore: false);

        Assert.That(((ImportOutcome.Refused)await fresh.TryAsync(bytes)).Code, Is.EqualTo("export_invalid"));
        fresh.AssertUntouched();
        File.Delete(copy);
    }

    [Test]
    public async Task Import_TarThatLiesAboutLengths_IsRefused()
    {
        using var fresh = new Fresh();
        var plain = new MemoryStream();
        await using (var tar = new TarWriter(plain, TarEntryFormat.Ustar, leaveOpen: true)) await tar.WriteEntryAsync(
            new UstarTarEntry(TarEntryType.RegularFile, "control.db") { DataStream = new MemoryStream(new byte[100]) });
        var bytes = plain.ToArray();
        // The size field: eight gigabytes, with the header's checksum made right again.
        Encoding.ASCII.GetBytes("77777777777\0").CopyTo(bytes, 124);
        Encoding.ASCII.GetBytes("        ").CopyTo(bytes, 148);
        Encoding.ASCII.GetBytes(Convert.ToString(bytes.Take(512).Sum(b => b), 8).PadLeft(6, '0') + "\0 ").CopyTo(bytes, 148);

        Assert.That(await fresh.TryAsync(await _box.SealAsync(bytes)), Is.InstanceOf<ImportOutcome.Refused>());
        fresh.AssertUntouched();
    }
}
