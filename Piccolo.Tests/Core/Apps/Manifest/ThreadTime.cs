using System.Globalization;

namespace Piccolo.Tests.Core.Apps.Manifest;

/// <summary>
/// How long this thread has computed: what else runs on the machine does not count (proc(5), schedstat). The kernel counts in steps of a few milliseconds.
/// </summary>
internal static class ThreadTime
{
    public static TimeSpan Of(Action action)
    {
        var before = Now();
        action();
        return Now() - before;
    }

    private static TimeSpan Now() =>
        TimeSpan.FromMicroseconds(long.Parse(File.ReadAllText("/proc/thread-self/schedstat").Split(' ')[0], CultureInfo.InvariantCulture) / 1_000);
}
