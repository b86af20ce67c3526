using System.Formats.Tar;
using System.Security.Cryptography;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Exports;

/// <summary>Looks into the device's own export files, whose key the open store knows. Thread-safe.</summary>
public sealed class ExportReader(SealedStore store, ExportLibrary library)
{
    /// <returns>
    /// What the export holds; null where it does not say so (the control store alone, or an export of an earlier release), or cannot be opened.
    /// </returns>
    /// <exception cref="StoreSealedException">The appliance is locked.</exception>
    public async Task<ExportContents?> ContentsOfAsync(string id, CancellationToken cancellationToken)
    {
        if (library.Find(id) is not { } path) return null;
        var key = GC.AllocateArray<byte>(32, pinned: true);
        try
        {
            await using var file = StateFile.OpenRead(path);
            var (header, hash) = await ExportHeader.ReadAsync(file, cancellationToken);
            if (header.Version < ExportHeader.ContentsVersion) return null;
            store.DeriveExportKey(header.Salt, key);
            using var cipher = new ChunkCipher(key, hash);
            await using var content = new OpeningStream(file, cipher, 2L * ExportContents.MaxBytes);
            await using var tar = new TarReader(content, leaveOpen: true);
            return await tar.GetNextEntryAsync(copyData: false, cancellationToken) is { } entry ? await ReadAsync(entry, cancellationToken) : null;
        }
        catch (Exception e) when (e is ExportInvalidException or InvalidDataException or IOException or FormatException)
        {
            // Deleted meanwhile, or damaged: an import says how.
            return null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <exception cref="ExportInvalidException">It is not the entry that an export begins with.</exception>
    internal static async Task<ExportContents> ReadAsync(TarEntry entry, CancellationToken cancellationToken)
    {
        if (entry is not { EntryType: TarEntryType.RegularFile, Name: ExportContents.EntryName, DataStream: { } data, Length: <= ExportContents.MaxBytes })
            throw new ExportInvalidException("export_invalid", "The export does not begin with its contents.");
        var json = new byte[entry.Length];
        await data.ReadExactlyAsync(json, cancellationToken);
        return ExportContents.Parse(json);
    }
}
