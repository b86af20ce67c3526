using System.Diagnostics;
using Piccolo.Rig.Podman;

namespace Piccolo.Rig.Acme;

/// <summary>Where the programs of the package <c>pebble</c> are, and what they take.</summary>
internal static class PebbleProgram
{
    /// <param name="name"><c>pebble</c> or <c>pebble-challtestsrv</c>.</param>
    /// <exception cref="InvalidOperationException">The newer edition is not there.</exception>
    public static string Find(PebbleEdition edition, string name)
    {
        if (edition == PebbleEdition.Installed) return name;
        var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } set
            ? set : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        // tools/dev/pebble.sh puts it there, or a link where the installed one is new enough.
        var program = Path.Combine(cache, "piccolo-dev", "pebble", "usr", "bin", name);
        return File.Exists(program) ? program : throw new InvalidOperationException($"There is no '{program}'. Run: ./dev setup");
    }

    /// <summary>The options that bind the DNS of <c>pebble-challtestsrv</c>: <c>-dns01</c> until 2.4, <c>-dnsserver</c> since.</summary>
    /// <param name="address">Host and port.</param>
    public static async Task<string[]> DnsOptionsAsync(string program, string address, CancellationToken cancellationToken)
    {
        // Not installed: what starts it next says so.
        if (Tool.Find(program) is null) return [];
        using var help = Process.Start(Tool.Prepare(program, ["-help"]))!;
        var usage = await help.StandardError.ReadToEndAsync(cancellationToken);
        await help.WaitForExitAsync(cancellationToken);
        if (!usage.Contains("-dnsserver ", StringComparison.Ordinal)) return ["-dns01", address];
        // On a fixed port unless it is told to be off.
        return usage.Contains("-doh ", StringComparison.Ordinal) ? ["-dnsserver", address, "-doh", ""] : ["-dnsserver", address];
    }
}
