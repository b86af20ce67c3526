using System.Runtime.InteropServices;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Vault;

/// <summary>
/// The memory that one Argon2 works in, taken from the kernel page by page as it is touched and given back piece by piece. Asked for or given back in one
/// call, hundreds of MiB keep the process's address space locked for up to a tenth of a second, and every thread that needs a page meanwhile stands still.
/// </summary>
internal sealed unsafe class Argon2Memory : IDisposable
{
    /// <summary>The kernel lets others in between two of these.</summary>
    private const long Piece = 4 << 20;

    private readonly long _length;
    private byte* _start;

    /// <exception cref="InsufficientMemoryException">The kernel does not give that much.</exception>
    public Argon2Memory(long length)
    {
        _length = length;
        var start = Posix.MMap(0, (nuint)length, Posix.ReadWriteProtection, Posix.PrivateAnonymousMapping, -1, 0);
        if (start == Posix.MapFailed) throw new InsufficientMemoryException($"There are no {length >> 20} MiB for checking a password: errno {Marshal.GetLastPInvokeError()}.");
        _start = (byte*)start;
        // Fewer and larger pages where the kernel has them, and none in a core dump; both are only advice.
        _ = Posix.MAdvise(start, (nuint)length, Posix.AdviseHugePages);
        _ = Posix.MAdvise(start, (nuint)length, Posix.AdviseDoNotDump);
    }

    public ulong* Block(long index) => (ulong*)(_start + (index * Argon2Block.Bytes));

    public void Dispose()
    {
        if (_start is null) return;
        var start = (nint)_start;
        _start = null;
        for (long at = 0; at < _length; at += Piece) _ = Posix.MAdvise(start + (nint)at, (nuint)Math.Min(Piece, _length - at), Posix.AdviseDoNotNeed);
        _ = Posix.MUnmap(start, (nuint)_length);
    }
}
