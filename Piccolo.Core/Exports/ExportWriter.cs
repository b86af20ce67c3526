using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Primitives;
using Piccolo.Core.Vault;

namespace Piccolo.Core.Exports;

/// <summary>Writes export files while the appliance goes on working. One at a time; the caller sees to that.</summary>
public sealed class ExportWriter(
    StatePaths paths, SealedStore store, ExportLibrary library, IOptions<ExportOptions> options, TimeProvider time, ILogger<ExportWriter> logger)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <param name="instance">This appliance's name for itself.</param>
    /// <param name="progress">Bytes done, and of how many.</param>
    /// <exception cref="StoreSealedException">The appliance is locked, or was while this ran.</exception>
    public async Task<ExportInfo> WriteAsync(ExportKind kind, string instance, Action<long, long> progress, CancellationToken cancellationToken)
    {
        var work = library.PrepareWorkFolder();
        try
        {
            var storeCopy = Path.Combine(work, ExportContent.StoreName);
            var revision = store.CopyTo(storeCopy);
            var unfinished = Path.Combine(work, "export");
            await SealAsync(unfinished, kind, instance, storeCopy, revision, progress, cancellationToken);
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
    }

    private async Task SealAsync(
        string path, ExportKind kind, string instance, string storeCopy, long revision, Action<long, long> progress, CancellationToken cancellationToken)
    {
        var keySet = KeySetFile.Read(paths.KeySet);
        var salt = RandomNumberGenerator.GetBytes(ExportHeader.SaltLength);
        var (header, hash) = new ExportHeader
        {
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
            var (done, total) = (0L, ExportContent.Measure(paths, kind, storeCopy));
            progress(0, total);
            await ExportContent.WriteAsync(sealing, paths, kind, storeCopy, Written, cancellationToken);
            await sealing.CompleteAsync(cancellationToken);
            await file.FlushAsync(cancellationToken);
            file.Flush(flushToDisk: true);

            void Written(long bytes)
            {
                // A key that outlives the lock would break its promise.
                if (!store.IsOpen) throw new StoreSealedException();
                progress(done += bytes, Math.Max(done, total));
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }
}
