using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Exports;
using Piccolo.Core.Exports.Trees;
using Piccolo.Core.Vault;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Exports;

/// <summary>A box with a few records, whose exports are imported on another.</summary>
internal abstract class ExportFixture
{
    protected static readonly StoreCollection<Note> Notes = new("notes");

    private protected TempFolder _folder = null!;
    private protected TestBox _box = null!;

    [OneTimeSetUp]
    public async Task SetUp()
    {
        _folder = new TempFolder();
        _box = new TestBox(_folder.Path);
        await _box.SetUpAsync();
        await _box.UnlockAsync();
        for (var i = 0; i < 40; i++)
            _box.Store.Commit(t => t.Put(Notes, $"n{i}", new Note($"{i} " + Convert.ToHexString(RandomNumberGenerator.GetBytes(2000)))));
        var volume = Directory.CreateDirectory(Path.Combine(_box.Paths.Volumes, FolderVolumes.FirstId, "cipher", "empty"));
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

    protected async Task<(ExportLibrary Library, ExportInfo Export)> ExportAsync(ExportKind kind)
    {
        var library = new ExportLibrary(_box.Paths);
        return (library, await Writer(library, new FolderVolumes(_box.Paths)).WriteAsync(kind, "instance", _ => { }, CancellationToken.None));
    }

    protected ExportWriter Writer(ExportLibrary library, IExportedVolumes volumes) =>
        new(_box.Paths, _box.Store, library, volumes, Options.Create(new ExportOptions()), _box.Time, _box.Log.For<ExportWriter>());

    protected async Task<byte[]> BytesAsync()
    {
        var (library, export) = await ExportAsync(ExportKind.Control);
        return await File.ReadAllBytesAsync(library.Find(export.Id)!);
    }

    /// <summary>A box that nobody owns.</summary>
    protected sealed class Fresh : IDisposable
    {
        private readonly TempFolder _folder = new();

        public Fresh(long maxBytes = 1L << 30, string? folder = null, TreeLimits? limits = null)
        {
            Box = new TestBox(folder ?? _folder.Path);
            Intake = new ImportIntake(Box.Paths, Box.Vault, Options.Create(new ExportOptions { MaxImportBytes = maxBytes }), Options.Create(new VaultOptions()),
                Box.Log.For<ImportIntake>())
            {
                Limits = limits ?? TreeLimits.Default,
            };
        }

        public TestBox Box { get; }

        public ImportIntake Intake { get; }

        public Task<ImportOutcome> TryAsync(byte[] file, string password = TestBox.Password) =>
            Intake.ImportAsync(password, new MemoryStream(file), check => check(), CancellationToken.None);

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

    protected sealed record Note(string Text);
}
