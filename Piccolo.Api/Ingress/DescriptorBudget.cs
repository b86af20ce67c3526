using System.Globalization;
using Microsoft.Extensions.Options;

namespace Piccolo.Api.Ingress;

/// <summary>
/// Keeps the limit of connections below what the system's limit of open files allows. A process without a free descriptor cannot even load what it needs to
/// say so: the runtime ends it, and clients who only hold connections open could bring that about.
/// </summary>
internal sealed class DescriptorBudget(ILogger<DescriptorBudget> logger) : IPostConfigureOptions<IngressOptions>
{
    /// <summary>For the runtime, which keeps each of its libraries open, two files each, and loads them when they are first needed; for the store, logs, and what the appliance asks others.</summary>
    private const int Reserve = 512;

    /// <summary>The client's socket, and the app's.</summary>
    private const int PerConnection = 2;

    private const string LimitsFile = "/proc/self/limits";
    private const string OpenFiles = "Max open files";

    public void PostConfigure(string? name, IngressOptions options)
    {
        if (!File.Exists(LimitsFile) || ParseOpenFiles(File.ReadAllText(LimitsFile)) is not { } files) return;
        var affordable = Affordable(files);
        if (options.MaxConnections <= affordable) return;
        logger.ConnectionsCutToOpenFiles(options.MaxConnections, affordable, files);
        options.MaxConnections = affordable;
    }

    internal static int Affordable(long files) => (int)Math.Clamp((files - Reserve) / PerConnection, 1, int.MaxValue);

    /// <summary>The soft limit, which the runtime has raised to the hard one; null when there is none.</summary>
    internal static long? ParseOpenFiles(string limits)
    {
        var line = limits.Split('\n').FirstOrDefault(l => l.StartsWith(OpenFiles, StringComparison.Ordinal));
        var soft = line?[OpenFiles.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
        return long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var files) ? files : null;
    }
}
