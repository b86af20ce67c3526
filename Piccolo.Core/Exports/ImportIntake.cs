using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Piccolo.Core.ControlStore;
using Piccolo.Core.ControlStore.Integrity;
using Piccolo.Core.ControlStore.Upkeep;
using Piccolo.Core.Exports.Trees;
using Piccolo.Core.Primitives;
using Piccolo.Core.Vault;

namespace Piccolo.Core.Exports;

/// <summary>How an import ended.</summary>
public abstract record ImportOutcome
{
    /// <summary>The box is the exported one now, locked, and opens with its password.</summary>
    /// <param name="Volumes">How many came along; null where the export does not say what it holds.</param>
    public sealed record Done(string Instance, DateTimeOffset CreatedAt, ExportKind Kind, long Revision, int? Volumes) : ImportOutcome;

    /// <summary>The box has an owner, or a store that waits for its key set.</summary>
    public sealed record AlreadyClaimed : ImportOutcome;

    public sealed record WrongPassword : ImportOutcome;

    /// <summary>Another import runs.</summary>
    public sealed record Busy : ImportOutcome;

    /// <param name="Code">Stable.</param>
    public sealed record Refused(string Code, string Detail) : ImportOutcome;

    /// <param name="Code">As of the store's faults.</param>
    public sealed record DiskFault(Health.FaultCode Code) : ImportOutcome;
}

/// <summary>
/// Makes an unclaimed box the one that an export was taken of. The whole file is read, opened and verified beside the state that counts; only then it is
/// put in place, in one step. Thread-safe.
/// </summary>
public sealed class ImportIntake(
    StatePaths paths, ApplianceVault vault, IOptions<ExportOptions> options, IOptions<VaultOptions> vaultOptions, ILogger<ImportIntake> logger) : IDisposable
{
    private readonly SemaphoreSlim _oneAtATime = new(1, 1);

    internal TreeLimits Limits { get; init; } = TreeLimits.Default;

    /// <summary>Whether there is nothing on this box that an import could cover.</summary>
    public bool IsOpenForImport => vault.State == VaultState.Unclaimed && !File.Exists(paths.ControlStore)
        && !(Directory.Exists(paths.Volumes) && Directory.EnumerateFileSystemEntries(paths.Volumes).Any());

    /// <param name="limited">Runs the check of the password within the limits of guesses, or not at all where they refuse: then the outcome is a wrong
    /// password.</param>
    public async Task<ImportOutcome> ImportAsync(
        string password, Stream file, Func<Func<Task<VaultOutcome>>, Task> limited, CancellationToken cancellationToken)
    {
        if (!await _oneAtATime.WaitAsync(TimeSpan.Zero, cancellationToken)) return new ImportOutcome.Busy();
        try
        {
            if (!IsOpenForImport) return new ImportOutcome.AlreadyClaimed();
            return await ReadAndPlaceAsync(password, file, limited, cancellationToken);
        }
        catch (ExportInvalidException e)
        {
            return new ImportOutcome.Refused(e.Code, e.Message);
        }
        catch (StoreFaultException e)
        {
            return new ImportOutcome.Refused("export_invalid", $"The export's control store cannot be used: {e.Message}");
        }
        catch (IOException e) when (DiskProbe.CodeOf(e) is var code && StoreFaults.IsTransient(code))
        {
            return new ImportOutcome.DiskFault(code);
        }
        finally
        {
            ImportPlacement.DropUndecided(paths);
            _oneAtATime.Release();
        }
    }

    public void Dispose() => _oneAtATime.Dispose();

    private async Task<ImportOutcome> ReadAndPlaceAsync(
        string password, Stream file, Func<Func<Task<VaultOutcome>>, Task> limited, CancellationToken cancellationToken)
    {
        var (header, hash) = await ExportHeader.ReadAsync(file, cancellationToken);
        if (header.MinReader > StoreSchema.Current.Reader)
            throw new ExportInvalidException("schema_too_new", "The export was written by a newer version of the appliance. Install that version first.");
        var keySet = ReadKeySet(header);
        DataKey? opened = null;
        await limited(async () =>
        {
            opened = await LowPriorityThread.RunAsync(() => Open(keySet, password));
            return opened is null ? VaultOutcome.WrongPassword : VaultOutcome.Done;
        });
        using var dataKey = opened;
        if (dataKey is null) return new ImportOutcome.WrongPassword();

        using var seal = new RowSeal(dataKey);
        var folder = ImportPlacement.Begin(paths);
        var contents = await UnpackAsync(file, header, hash, seal, folder, cancellationToken);
        Verify(Path.Combine(folder, ExportContent.StoreName), seal, header);
        AtomicFile.Write(Path.Combine(folder, "keyset.json"), header.KeySet);
        // From here on the caller's going away must not leave half of it undone.
        if (await vault.AdoptAsync(() => ImportPlacement.Decide(paths), CancellationToken.None) != VaultOutcome.Done) return new ImportOutcome.AlreadyClaimed();
        logger.Imported(header.Instance, header.Revision);
        return new ImportOutcome.Done(header.Instance, header.CreatedAt, header.Kind, header.Revision, contents?.Volumes.Length);
    }

    /// <summary>As it was sent; and without the newline with which files end that are given to curl, which a password seldom has.</summary>
    private static DataKey? Open(KeySet keySet, string password) =>
        keySet.Open(password) ?? (password.TrimEnd('\r', '\n') is { Length: > 0 } trimmed && trimmed != password ? keySet.Open(trimmed) : null);

    private KeySet ReadKeySet(ExportHeader header)
    {
        try
        {
            var keySet = KeySet.Parse(header.KeySet);
            var (cost, own) = (keySet.Password.GetCost(), vaultOptions.Value.Kdf.ToCost());
            if (cost.IsImportable(own)) return keySet;
            throw new ExportInvalidException("export_too_costly", string.Create(CultureInfo.InvariantCulture,
                $"The export's password costs {cost.MemoryMiB} MiB and {cost.Iterations} passes to check, too much for this appliance. "
                + $"If the file is yours, set Piccolo:Vault:Kdf to this cost and import again."));
        }
        catch (KeySetCorruptException e)
        {
            throw new ExportInvalidException("export_invalid", $"The export's key set cannot be used: {e.Message}.", e);
        }
    }

    private async Task<ExportContents?> UnpackAsync(
        Stream file, ExportHeader header, byte[] hash, RowSeal seal, string folder, CancellationToken cancellationToken)
    {
        var key = GC.AllocateArray<byte>(32, pinned: true);
        try
        {
            seal.DeriveExportKey(header.Salt, key);
            using var cipher = new ChunkCipher(key, hash);
            await using var content = new OpeningStream(file, cipher, options.Value.MaxImportBytes);
            return await ImportReader.UnpackAsync(content, folder, header, Limits, cancellationToken);
        }
        finally
        {
            System.Security.Cryptography.CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>The store as it will be used: structure, chain and every row.</summary>
    private static void Verify(string storeCopy, RowSeal seal, ExportHeader header)
    {
        if (StoreVerifier.VerifyFile(storeCopy, seal).Revision != header.Revision)
            throw new ExportInvalidException("export_invalid", "The export's store is of another revision than its header says.");
    }
}
