using System.Buffers.Binary;
using System.Security.Cryptography;
using Piccolo.Core.ControlStore.Upkeep;
using Piccolo.Core.Health;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.ControlStore.Integrity;

/// <summary>
/// A revision that the store has reached, kept in a file beside it: an emptied or older <c>control.db</c> put into its place is found at open. Written when
/// the store opens and closes and by the regular check, so it lags behind but never runs ahead.
/// </summary>
internal sealed record StoreAnchor(long Revision, byte[] Chain)
{
    private const int FileLength = 8 + 2 * StoreChain.Length;

    /// <returns>Null when there is no such file.</returns>
    /// <exception cref="StoreFaultException">The file is not one that this key wrote, or something is there that cannot be read.</exception>
    public static StoreAnchor? Read(string path, StoreChain chain)
    {
        Span<byte> content = stackalloc byte[FileLength + 1];
        if (ReadFile(path, content) is not { } length) return null;
        var anchor = new StoreAnchor(BinaryPrimitives.ReadInt64BigEndian(content), content.Slice(8, StoreChain.Length).ToArray());
        if (length != FileLength
            || !CryptographicOperations.FixedTimeEquals(chain.OfAnchor(anchor.Revision, anchor.Chain), content.Slice(8 + StoreChain.Length, StoreChain.Length)))
            throw new StoreFaultException(
                FaultCode.DecryptFailed, "The control store's anchor was changed or damaged outside the appliance, or belongs to another key set.");
        return anchor;
    }

    private static int? ReadFile(string path, Span<byte> content)
    {
        const string failed = "its anchor cannot be read";
        try
        {
            using var stream = StateFile.OpenRead(path);
            return stream.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
        catch (IOException e)
        {
            throw StoreFaults.From(e, failed);
        }
        catch (UnauthorizedAccessException e)
        {
            throw StoreFaults.From(e, failed);
        }
    }

    public static void Write(string path, StoreChain chain, StoreHead head)
    {
        Span<byte> content = stackalloc byte[FileLength];
        BinaryPrimitives.WriteInt64BigEndian(content, head.Revision);
        head.Chain.CopyTo(content[8..]);
        chain.OfAnchor(head.Revision, head.Chain).CopyTo(content[(8 + StoreChain.Length)..]);
        AtomicFile.Write(path, content);
    }
}
