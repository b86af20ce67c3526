using System.Globalization;
using System.Net.Sockets;

namespace Piccolo.Core.Primitives;

/// <summary>
/// How near this process is to its limit of open files (getrlimit(2), RLIMIT_NOFILE). A process without a free descriptor cannot even load the library that it
/// needs to say so, and the runtime ends it. The kernel gives a new descriptor the lowest free number (open(2)), so that the number tells how many are open at
/// least. Thread-safe.
/// </summary>
/// <param name="limit">Null: there is none.</param>
public sealed class OpenFiles(long? limit)
{
    /// <summary>No client is accepted with fewer descriptors free than these: they are the runtime's, the store's and the logs'.</summary>
    private const int KeptFromClients = 192;

    /// <summary>Connections to apps end earlier than clients do: who is refused there can at least be told.</summary>
    private const int KeptFromApps = 256;

    private const string LimitsFile = "/proc/self/limits";
    private const string Label = "Max open files";

    public OpenFiles() : this(File.Exists(LimitsFile) ? Parse(File.ReadAllText(LimitsFile)) : null)
    {
    }

    public long? Limit => limit;

    /// <param name="client">A socket that was just accepted.</param>
    public bool IsShort(Socket client) => limit is { } files && client.Handle >= files - Kept(files, KeptFromClients);

    /// <summary>Whether a connection to an app may be opened now.</summary>
    public bool HasRoomForApps()
    {
        if (limit is not { } files) return true;
        var descriptor = Posix.Open("/dev/null", Posix.O_CLOEXEC);
        if (descriptor < 0) return false;
        _ = Posix.Close(descriptor);
        return descriptor < files - Kept(files, KeptFromApps);
    }

    /// <summary>The soft limit, which the runtime has raised to the hard one; null when there is none.</summary>
    internal static long? Parse(string limits)
    {
        var line = limits.Split('\n').FirstOrDefault(l => l.StartsWith(Label, StringComparison.Ordinal));
        var soft = line?[Label.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
        return long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var files) ? files : null;
    }

    private static long Kept(long files, int wanted) => Math.Min(wanted, files / 2);
}
