using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Primitives;
using Piccolo.Core.Vault;

namespace Piccolo.Core.Exports;

/// <summary>
/// Writes export files while the appliance goes on working; an app stands still while its own volumes are copied. One at a time; the caller sees to that.
/// </summary>
public sealed class ExportWriter(
    StatePaths paths, SealedStore store, ExportLibrary library, IExportedVolumes volumes, IOptions<ExportOptions> options, TimeProvider time,
        ILogger<ExportWriter> logger)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>How often the store is copied while apps come and go, before it is given up.</summary>
    private const int Attempts = 5;

    /// <summary>Bytes of the disk that a full export leaves free.</summary>
    internal Func<long> KeptFree { get; init; } = () => 256L * 1024 * 1024;

    /// <param name="instance">This appliance's name for itself.</param>
    /// <exception cref="StoreSealedException">The appliance is locked, or was while this ran.</exception>
    /// <exception cref="ExportFailedException">It cannot be made whole. Nothing is left of it.</exception>
    public async Task<ExportInfo> WriteAsync(ExportKind kind, string instance, Action<ExportProgress> progress, CancellationToken cancellationToken)
    {
        var work = library.PrepareWorkFolder();
        try
        {
            var storeCopy = Path.Combine(work, ExportContent.StoreName);
            var (revision, selection) = CopyStore(storeCopy, kind);
            var room = new ExportRoom(work, KeptFree, () => store.IsOpen);
            var content = new ExportContent(paths, volumes, room, Told);
            if (selection is { Volumes.IsEmpty: false }) room.Require(await Task.Run(() => content.Measure(selection), cancellationToken));
            var unfinished = Path.Combine(work, "export");
            await SealAsync(unfinished, kind, instance, storeCopy, revision, sealing =>
                content.WriteAsync(sealing, storeCopy, selection, cancellationToken), cancellationToken);
            var now = time.GetUtcNow().ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
            var id = $"{now}-{(kind == ExportKind.Full ? "full" : "control")}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}";
            var path = library.PathOf(id);
            File.Move(unfinished, path);
            AtomicFile.FlushDirectory(paths.Exports);
            await library.TrimAsync(options.Value.Retention, id, CancellationToken.None);
            logger.ExportWritten(id, revision);
            return (await ExportLibrary.DescribeAsync(path, CancellationToken.None))!;
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }

        void Told(ExportProgress now)
        {
            // A key that outlives the lock would break its promise.
            if (!store.IsOpen) throw new StoreSealedException();
            progress(now);
        }
    }

    /// <summary>The store and the volumes that its copy knows of: all of one moment.</summary>
    private (long Revision, ExportSelection? Selection) CopyStore(string path, ExportKind kind)
    {
        if (kind == ExportKind.Control) return (store.CopyTo(path), null);
        for (var i = 0; i < Attempts; i++)
        {
            var before = volumes.Select();
            var revision = store.CopyTo(path);
            if (volumes.Select().Stamp == before.Stamp) return (revision, before);
            File.Delete(path);
        }
        throw new ExportFailedException("apps_changed", "Apps are being installed, changed or removed all the time. Make the export when that is over.");
    }

    private async Task SealAsync(
        string path, ExportKind kind, string instance, string storeCopy, long revision, Func<Stream, Task> write, CancellationToken cancellationToken)
    {
        var keySet = KeySetFile.Read(paths.KeySet);
        var salt = RandomNumberGenerator.GetBytes(ExportHeader.SaltLength);
        var (header, hash) = new ExportHeader
        {
            Version = kind == ExportKind.Full ? ExportHeader.ContentsVersion : ExportHeader.PlainVersion,
            Kind = kind,
            CreatedAt = time.GetUtcNow(),
            Instance = instance,
            Revision = revision,
            MinReader = StoreFile.ReadMinReaderOfCopy(storeCopy),
            Kdf = KeySet.Parse(keySet).Password.Kdf,
            Salt = salt,
            KeySet = keySet,
        }.Write();
        var key = GC.AllocateArray<byte>(32, pinned: true);
        try
        {
            store.DeriveExportKey(salt, key);
            using var cipher = new ChunkCipher(key, hash);
            await using var file = new FileStream(
                path,
                new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly, Options = FileOptions.Asynchronous });
            await file.WriteAsync(header, cancellationToken);
            await using var sealing = new SealingStream(file, cipher);
            await write(sealing);
            await sealing.CompleteAsync(cancellationToken);
            await file.FlushAsync(cancellationToken);
            file.Flush(flushToDisk: true);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }
}
