using System.Buffers.Binary;
using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Exports;
using Piccolo.Core.Health;
using Piccolo.Core.Vault;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Files;

namespace Piccolo.Tests.Core.Exports;

/// <summary>A box to a file and back, and what becomes of files that are not what they say.</summary>
[Category("Sealed")]
internal sealed class ExportImportTests
{
    private static readonly StoreCollection<Note> Notes = new("notes");

    private TempFolder _folder = null!;
    private TestBox _box = null!;

    [OneTimeSetUp]
    public async Task SetUp()
    {
        _folder = new TempFolder();
        _box = new TestBox(_folder.Path);
        await _box.SetUpAsync();
        await _box.UnlockAsync();
        for (var i = 0; i < 40; i++) _box.Store.Commit(t => t.Put(Notes, $"n{i}", new Note($"{i} " + Convert.ToHexString(RandomNumberGenerator.GetBytes(2000)))));
        var volume = Directory.CreateDirectory(Path.Combine(_box.Paths.Volumes, "web", "cipher", "empty"));
        await File.WriteAllTextAsync(Path.Combine(volume.Parent!.FullName, "block"), "ciphertext");
        await File.WriteAllBytesAsync(Path.Combine(volume.Parent!.FullName, "large"), new byte[300_000]);
        File.SetUnixFileMode(Path.Combine(volume.Parent!.FullName, "block"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        File.CreateSymbolicLink(Path.Combine(volume.Parent!.FullName, "link"), "some-encrypted-target");
    }

    [OneTimeTearDown]
    public void TearDown()
    {
        _box.Dispose();
        _folder.Dispose();
    }

    [Test]
    public async Task FullExport_ImportedOnAFreshBox_IsTheSameBox()
    {
        var (library, export) = await ExportAsync(ExportKind.Full);
        using var fresh = new Fresh();

        await using (var file = File.OpenRead(library.Find(export.Id)!))
            Assert.That(await fresh.Intake.ImportAsync(TestBox.Password, file, check => check(), CancellationToken.None), Is.InstanceOf<ImportOutcome.Done>());

        Assert.That(fresh.Box.Vault.State, Is.EqualTo(VaultState.Locked));
        Assert.That(await fresh.Box.UnlockAsync(), Is.EqualTo(VaultOutcome.Done));
        Assert.That(fresh.Box.Store.List(Notes), Is.EquivalentTo(_box.Store.List(Notes)));
        var cipher = Path.Combine(fresh.Box.Paths.Volumes, "web", "cipher");
        Assert.That(await File.ReadAllTextAsync(Path.Combine(cipher, "block")), Is.EqualTo("ciphertext"));
        Assert.That(File.GetUnixFileMode(Path.Combine(cipher, "block")), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead));
        Assert.That(new FileInfo(Path.Combine(cipher, "large")).Length, Is.EqualTo(300_000));
        Assert.That(new FileInfo(Path.Combine(cipher, "link")).LinkTarget, Is.EqualTo("some-encrypted-target"));
        Assert.That(Directory.Exists(Path.Combine(cipher, "empty")), Is.True);
        fresh.Box.Store.Commit(t => t.Put(Notes, "more", new Note("works")));
        Assert.That(fresh.Box.Store.Check(), Is.True);
        await using var again = File.OpenRead(library.Find(export.Id)!);
        Assert.That(await fresh.Intake.ImportAsync(TestBox.Password, again, check => check(), CancellationToken.None), Is.InstanceOf<ImportOutcome.AlreadyClaimed>());
    }

    [Test]
    public async Task Import_WithTheRecoveryWords_IsTheSameBox()
    {
        var (_, words) = await _box.Vault.GenerateRecoveryKeyAsync(TestBox.Password, CancellationToken.None);
        var (library, export) = await ExportAsync(ExportKind.Full);
        using var fresh = new Fresh();

        await using (var file = File.OpenRead(library.Find(export.Id)!))
            Assert.That(await fresh.Intake.ImportAsync(string.Join(' ', words), file, check => check(), CancellationToken.None), Is.InstanceOf<ImportOutcome.Done>());

        Assert.That(await fresh.Box.UnlockAsync(), Is.EqualTo(VaultOutcome.Done));
        Assert.That(fresh.Box.Store.List(Notes), Is.EquivalentTo(_box.Store.List(Notes)));
    }

    [Test]
    public async Task Export_ShowsNothingAndIsPrivate()
    {
        var (library, export) = await ExportAsync(ExportKind.Full);
        var path = library.Find(export.Id)!;

        Assert.That(File.GetUnixFileMode(path), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.That(Encoding.Latin1.GetString(await File.ReadAllBytesAsync(path)), Does.Not.Contain("notes").And.Not.Contain("SQLite").And.Not.Contain("ciphertext"));
        Assert.That(Directory.Exists(Path.Combine(_box.Paths.Exports, "unfinished")), Is.False);
    }

    [Test]
    public async Task Retention_KeepsTheNewestThree()
    {
        for (var i = 0; i < 5; i++)
        {
            await ExportAsync(ExportKind.Control);
            _box.Time.Advance(TimeSpan.FromMinutes(1));
        }
        var (library, newest) = await ExportAsync(ExportKind.Control);

        var kept = await library.ListAsync(CancellationToken.None);

        Assert.That(kept, Has.Count.EqualTo(3));
        Assert.That(kept[0], Is.EqualTo(newest));
        Assert.That(library.Delete("../keyset"), Is.False);
        Assert.That(library.Find("../../etc/passwd"), Is.Null);
        Assert.That(library.Delete(newest.Id), Is.True);
        Assert.That(await library.ListAsync(CancellationToken.None), Has.Count.EqualTo(2));
    }

    [Test]
    public async Task Import_WrongPassword_WritesNothing()
    {
        using var fresh = new Fresh();
        Assert.That(await fresh.TryAsync(await BytesAsync(), "not the password"), Is.InstanceOf<ImportOutcome.WrongPassword>());
        fresh.AssertUntouched();
    }

    [Test]
    public async Task Import_BitFlippedInEveryRegion_IsRefusedAndWritesNothing()
    {
        var bytes = await BytesAsync();
        var header = 22 + BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(18)) + 32;
        using var fresh = new Fresh();
        var random = new Random(11);
        // Magic, version, length, all over the JSON, its hash, each chunk's body and tag, the last byte.
        int[] places = [0, 13, 15, 16, 17, 18, 21, 22, header - 33, header - 32, header - 1, header, header + 20, header + 65536 + 3, header + 65536 + 16, bytes.Length - 17, bytes.Length - 1,
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
            [], bytes[..10], bytes[..22], bytes[..(header - 1)], bytes[..header], bytes[..(header + 10)], bytes[..(header + Chunk)], bytes[..(header + Chunk + 5)], bytes[..^1],
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
        later[17] = 2;
        Assert.That(((ImportOutcome.Refused)await fresh.TryAsync(later)).Code, Is.EqualTo("export_version"));

        var (header, _) = await ExportHeader.ReadAsync(new MemoryStream(bytes), CancellationToken.None);
        var (newer, _) = (header with { MinReader = 99 }).Write();
        Assert.That(((ImportOutcome.Refused)await fresh.TryAsync(newer)).Code, Is.EqualTo("schema_too_new"));
        fresh.AssertUntouched();
    }

    [Test]
    public async Task Import_LargerThanTheLimit_IsRefusedWhileItIsRead()
    {
        using var fresh = new Fresh(maxBytes: 70_000);

        Assert.That(((ImportOutcome.Refused)await fresh.TryAsync(await BytesAsync())).Code, Is.EqualTo("export_too_large"));
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
        var bytes = await ForgeAsync(async tar =>
        {
            if (name.Contains("/link/", StringComparison.Ordinal)) await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.SymbolicLink, "volumes/link") { LinkName = link });
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
        RawStore.Execute(copy, "DELETE FROM rows WHERE rowid IS NULL OR id = (SELECT id FROM rows LIMIT 1)".Replace("rowid IS NULL OR ", "", StringComparison.Ordinal));

        var bytes = await ForgeAsync(tar => tar.WriteEntryAsync(copy, "control.db"), withStore: false);

        Assert.That(((ImportOutcome.Refused)await fresh.TryAsync(bytes)).Code, Is.EqualTo("export_invalid"));
        fresh.AssertUntouched();
        File.Delete(copy);
    }

    [Test]
    public async Task Import_TarThatLiesAboutLengths_IsRefused()
    {
        using var fresh = new Fresh();
        var plain = new MemoryStream();
        await using (var tar = new TarWriter(plain, TarEntryFormat.Ustar, leaveOpen: true)) await tar.WriteEntryAsync(new UstarTarEntry(TarEntryType.RegularFile, "control.db") { DataStream = new MemoryStream(new byte[100]) });
        var bytes = plain.ToArray();
        // The size field: eight gigabytes, with the header's checksum made right again.
        Encoding.ASCII.GetBytes("77777777777\0").CopyTo(bytes, 124);
        Encoding.ASCII.GetBytes("        ").CopyTo(bytes, 148);
        Encoding.ASCII.GetBytes(Convert.ToString(bytes.Take(512).Sum(b => b), 8).PadLeft(6, '0') + "\0 ").CopyTo(bytes, 148);

        Assert.That(await fresh.TryAsync(Seal(bytes)), Is.InstanceOf<ImportOutcome.Refused>());
        fresh.AssertUntouched();
    }

    [Test, Category("NeedsRoot")]
    public async Task Import_DiskTooSmall_IsADiskFaultAndLeavesTheBoxUnclaimed()
    {
        var bytes = await BytesAsync();
        using var disk = MountedFolder.Tmpfs(kibibytes: 100);
        using var fresh = new Fresh(folder: disk.Path);

        Assert.That(await fresh.TryAsync(bytes), Is.EqualTo(new ImportOutcome.DiskFault(FaultCode.DiskFull)));
        fresh.AssertUntouched();
    }

    [Test]
    public async Task Placement_KilledAfterTheDecision_IsFinishedAtTheNextStart()
    {
        using var fresh = new Fresh();
        await fresh.TryAsync(await BytesAsync());
        // The same box as if the process had died right after the decisive rename.
        using var other = new TempFolder();
        var ready = Directory.CreateDirectory(other.File("import.ready"));
        File.Copy(fresh.Box.Paths.KeySet, Path.Combine(ready.FullName, "keyset.json"));
        File.Copy(fresh.Box.Paths.ControlStore, other.File("control.db"));
        Directory.CreateDirectory(other.File("import.unfinished"));
        var paths = new Piccolo.Core.Primitives.StatePaths(other.Path);

        ImportPlacement.Finish(paths);

        using var box = new TestBox(other.Path);
        Assert.That(await box.UnlockAsync(), Is.EqualTo(VaultOutcome.Done));
        Assert.That(box.Store.List(Notes), Has.Count.EqualTo(40));
        Assert.That(Directory.GetDirectories(other.Path), Is.Empty);
    }

    private async Task<(ExportLibrary Library, ExportInfo Export)> ExportAsync(ExportKind kind)
    {
        var library = new ExportLibrary(_box.Paths);
        var writer = new ExportWriter(_box.Paths, _box.Store, library, Options.Create(new ExportOptions()), _box.Time, _box.Log.For<ExportWriter>());
        return (library, await writer.WriteAsync(kind, "instance", (_, _) => { }, CancellationToken.None));
    }

    private async Task<byte[]> BytesAsync()
    {
        var (library, export) = await ExportAsync(ExportKind.Control);
        return await File.ReadAllBytesAsync(library.Find(export.Id)!);
    }

    private async Task<byte[]> ForgeAsync(Func<TarWriter, Task> write, bool withStore = true)
    {
        var plain = new MemoryStream();
        var copy = _folder.File("copy.db");
        await using (var tar = new TarWriter(plain, TarEntryFormat.Pax, leaveOpen: true))
        {
            if (withStore)
            {
                _box.Store.CopyTo(copy);
                await tar.WriteEntryAsync(copy, "control.db");
                File.Delete(copy);
            }
            await write(tar);
        }
        return Seal(plain.ToArray());
    }

    /// <summary>As the appliance seals, with the appliance's own key.</summary>
    private byte[] Seal(byte[] plain)
    {
        var salt = RandomNumberGenerator.GetBytes(32);
        var (header, hash) = new ExportHeader
        {
            Kind = ExportKind.Full,
            CreatedAt = _box.Time.GetUtcNow(),
            Instance = "forged",
            Revision = _box.Store.Revision,
            MinReader = 1,
            Kdf = "argon2id",
            Salt = salt,
            KeySet = File.ReadAllBytes(_box.Paths.KeySet),
        }.Write();
        var key = new byte[32];
        _box.Store.DeriveExportKey(salt, key);
        using var cipher = new ChunkCipher(key, hash);
        using var file = new MemoryStream();
        file.Write(header);
        using var sealing = new SealingStream(file, cipher);
        sealing.WriteAsync(plain).AsTask().GetAwaiter().GetResult();
        sealing.CompleteAsync(CancellationToken.None).GetAwaiter().GetResult();
        return file.ToArray();
    }

    /// <summary>A box that nobody owns.</summary>
    private sealed class Fresh : IDisposable
    {
        private readonly TempFolder _folder = new();

        public Fresh(long maxBytes = 1L << 30, string? folder = null)
        {
            Box = new TestBox(folder ?? _folder.Path);
            Intake = new ImportIntake(Box.Paths, Box.Vault, Options.Create(new ExportOptions { MaxImportBytes = maxBytes }), Options.Create(new VaultOptions()), Box.Log.For<ImportIntake>());
        }

        public TestBox Box { get; }

        public ImportIntake Intake { get; }

        public Task<ImportOutcome> TryAsync(byte[] file, string password = TestBox.Password) => Intake.ImportAsync(password, new MemoryStream(file), check => check(), CancellationToken.None);

        public void AssertUntouched()
        {
            Assert.That(Directory.GetFileSystemEntries(Box.Paths.Root), Is.Empty);
            Assert.That(Box.Vault.State, Is.EqualTo(VaultState.Unclaimed));
        }

        public void Dispose()
        {
            Intake.Dispose();
            Box.Dispose();
            _folder.Dispose();
        }
    }

    private sealed record Note(string Text);
}
