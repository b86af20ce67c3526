using System.Formats.Tar;
using System.Security.Cryptography;
using Piccolo.Core.Exports;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Exports;

/// <summary>Exports that somebody makes who has the keys of a box: authentic, whatever they hold.</summary>
internal static class ExportForge
{
    /// <summary>A tar with the box's own store, and what is written behind it.</summary>
    public static async Task<byte[]> ForgeAsync(this TestBox box, Func<TarWriter, Task> write, bool withStore = true)
    {
        var plain = new MemoryStream();
        await using (var tar = new TarWriter(plain, TarEntryFormat.Pax, leaveOpen: true))
        {
            if (withStore) await box.WriteStoreAsync(tar);
            await write(tar);
        }
        return await box.SealAsync(plain.ToArray());
    }

    public static async Task WriteStoreAsync(this TestBox box, TarWriter tar)
    {
        using var folder = new TempFolder();
        box.Store.CopyTo(folder.File("copy.db"));
        await tar.WriteEntryAsync(folder.File("copy.db"), "control.db");
    }

    /// <summary>As the appliance seals, with the appliance's own key.</summary>
    public static async Task<byte[]> SealAsync(this TestBox box, byte[] plain, int version = ExportHeader.PlainVersion)
    {
        var salt = RandomNumberGenerator.GetBytes(32);
        var (header, hash) = new ExportHeader
        {
            Version = version,
            Kind = ExportKind.Full,
            CreatedAt = box.Time.GetUtcNow(),
            Instance = "forged",
            Revision = box.Store.Revision,
            MinReader = 1,
            Kdf = "argon2id",
            Salt = salt,
            KeySet = await File.ReadAllBytesAsync(box.Paths.KeySet),
        }.Write();
        var key = new byte[32];
        box.Store.DeriveExportKey(salt, key);
        using var cipher = new ChunkCipher(key, hash);
        using var file = new MemoryStream();
        file.Write(header);
        await using var sealing = new SealingStream(file, cipher);
        await sealing.WriteAsync(plain);
        await sealing.CompleteAsync(CancellationToken.None);
        return file.ToArray();
    }
}
