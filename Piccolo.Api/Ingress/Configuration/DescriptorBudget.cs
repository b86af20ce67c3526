using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress.Diagnostics;
using Piccolo.Core.Primitives;

namespace Piccolo.Api.Ingress.Configuration;

/// <summary>
/// Keeps the limits of connections below what the system's limit of open files allows: half of it is for clients, half for connections to apps.
/// </summary>
internal sealed class DescriptorBudget(OpenFiles openFiles, ILogger<DescriptorBudget> logger) : IPostConfigureOptions<IngressOptions>
{
    /// <summary>
    /// For the runtime, which keeps each of its libraries open, two files each, and loads them when they are first needed; for the store, logs, and what
    /// the appliance asks others.
    /// </summary>
    private const int Reserve = 512;

    public void PostConfigure(string? name, IngressOptions options)
    {
        if (openFiles.Limit is not { } files) return;
        var affordable = Affordable(files);
        options.MaxAppConnections = Math.Min(options.MaxAppConnections, affordable);
        if (options.MaxConnections <= affordable) return;
        logger.ConnectionsCutToOpenFiles(options.MaxConnections, affordable, files);
        options.MaxConnections = affordable;
    }

    internal static int Affordable(long files) => (int)Math.Clamp((files - Reserve) / 2, 1, int.MaxValue);
}
