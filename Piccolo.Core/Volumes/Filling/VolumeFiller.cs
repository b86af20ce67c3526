using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;
using Piccolo.Core.ControlStore;
using Piccolo.Core.ControlStore.Upkeep;
using Piccolo.Core.Health;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Volumes.Filling;

/// <summary>Makes new volumes, fills them, and looks at old ones after an unclean end. Throws what disk and store throw.</summary>
internal sealed class VolumeFiller(Gocryptfs tool, VolumeRows rows, ILogger<VolumeFiller> logger)
{
    /// <summary>No image fills the disk to the last byte: the store needs room too.</summary>
    private const long KeptFree = 256L * 1024 * 1024;

    /// <summary>Checking reads all of a volume; a larger one would keep its app down for minutes.</summary>
    private const long CheckedBytes = 256L * 1024 * 1024;

    private const UnixFileMode OpenToAll = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead
        | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    /// <summary>What lies in a volume that was never filled to the end counts for nothing: it is made from scratch.</summary>
    public async Task<VolumeTrouble?> MakeEmptyAsync(string program, VolumePaths volume, ReadOnlyMemory<byte> key, CancellationToken cancellationToken)
    {
        await Task.Run(() => TreeRemoval.Delete(volume.Cipher, cancellationToken), cancellationToken);
        volume.CreateCipher();
        var answer = await tool.InitAsync(program, volume, key, cancellationToken);
        return answer.IsDone ? null : new VolumeTrouble(VolumeFaultKind.Failed, $"gocryptfs did not make it: {answer.Text}");
    }

    /// <summary>Of a new volume that is mounted. When this ends the disk has the content, and the store knows.</summary>
    public async Task<VolumeTrouble?> FillAsync(VolumePaths volume, VolumeRecord record, WantedVolume wanted, CancellationToken cancellationToken)
    {
        if (Posix.ChangeOwner(volume.MountPoint, wanted.FirstHostId, wanted.FirstHostId) != 0) throw new IOException(Marshal.GetLastPInvokeErrorMessage());
        File.SetUnixFileMode(volume.MountPoint, OpenToAll);
        if (await UnpackAsync(volume, wanted, cancellationToken) is { } trouble) return trouble;
        Flush(volume.Cipher);
        if (!rows.Filled(record, wanted.Image)) return new VolumeTrouble(VolumeFaultKind.Failed, "it was deleted meanwhile");
        logger.VolumeMade(record.App, record.Name);
        return null;
    }

    /// <summary>A finding does not keep the app down: what is whole can be read, and what is not is an error where it is read.</summary>
    /// <param name="used">Null: not known.</param>
    public async Task LookAfterUncleanEndAsync(
        string program, VolumePaths volume, VolumeRecord record, long? used, CancellationToken cancellationToken)
    {
        if (used is null or > CheckedBytes)
        {
            logger.VolumeNotChecked(record.App, record.Name);
            return;
        }
        var answer = await tool.CheckAsync(program, volume, record.Key!, cancellationToken);
        if (answer.IsDone) logger.VolumeChecked(record.App, record.Name);
        else logger.DamageFound(record.App, record.Name, answer.Text);
    }

    public static VolumeTrouble TroubleOf(IOException e) => DiskProbe.CodeOf(e) == FaultCode.DiskFull
        ? new VolumeTrouble(VolumeFaultKind.Full, "the disk is full")
        : new VolumeTrouble(VolumeFaultKind.Failed, e.Message);

    private static async Task<VolumeTrouble?> UnpackAsync(VolumePaths volume, WantedVolume wanted, CancellationToken cancellationToken)
    {
        if (wanted.Content is null) return null;
        var room = new DriveInfo(volume.Cipher).AvailableFreeSpace - KeptFree;
        var limits = new FillLimits(Math.Max(0, Math.Min(room, wanted.SizeLimitBytes ?? long.MaxValue)));
        try
        {
            var content = await wanted.Content(cancellationToken);
            if (content is null) return null;
            await using (content) await new VolumeFill(volume.MountPoint, wanted.FirstHostId, limits).UnpackAsync(content, cancellationToken);
            return null;
        }
        catch (FillRefusedException e)
        {
            return new VolumeTrouble(e.IsTooLarge ? VolumeFaultKind.Full : VolumeFaultKind.Failed, $"the image's content for it is not taken: {e.Message}");
        }
        catch (IOException e)
        {
            return TroubleOf(e);
        }
        catch (Exception e) when (e is not (StoreSealedException or StoreFaultException)
            && !(e is OperationCanceledException && cancellationToken.IsCancellationRequested))
        {
            // The stream is the container engine's, and fails in many ways.
            return new VolumeTrouble(VolumeFaultKind.Failed, $"the image's content for it cannot be read: {e.Message}");
        }
    }

    /// <summary>gocryptfs hands all writes on; what it has handed on is brought to the disk by one call for the whole file system.</summary>
    private static void Flush(string cipher)
    {
        using var folder = new SafeFileHandle(Posix.Open(cipher, Posix.O_RDONLY | Posix.O_CLOEXEC), ownsHandle: true);
        if (folder.IsInvalid || Posix.SyncFileSystem(folder) != 0) throw new IOException(Marshal.GetLastPInvokeErrorMessage());
    }
}
