using System.Runtime.CompilerServices;

namespace Piccolo.Core.Primitives.Sockets;

/// <summary>
/// Marks the threads of event loops. Each serves many connections, so that nothing there may wait for a disk, a lock that is held over one, a key derivation or
/// the container engine. What does wait for such calls <see cref="MustNotBlock"/>.
/// </summary>
public static class LoopThread
{
    [ThreadStatic]
    private static bool _isCurrent;

    /// <value>Whether <see cref="MustNotBlock"/> throws. Default: in Debug builds; tests switch it on.</value>
    public static bool IsGuarded { get; set; } = IsDebugBuild();

    /// <summary>The calling thread is an event loop's from now on.</summary>
    public static void Begin() => _isCurrent = true;

    /// <summary>To be called first by whatever may block.</summary>
    /// <exception cref="InvalidOperationException">This is the thread of an event loop.</exception>
    public static void MustNotBlock([CallerMemberName] string call = "")
    {
        if (_isCurrent && IsGuarded) throw new InvalidOperationException($"{call} may block, and this is the thread of an event loop.");
    }

    private static bool IsDebugBuild()
    {
#if DEBUG
        return true;
#else
        return false;
#endif
    }
}
