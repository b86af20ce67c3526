using System.Globalization;
using System.Reflection;

namespace Piccolo.Api.Platform;

/// <summary>What the build wrote into the assembly.</summary>
internal static class Build
{
    private static readonly Assembly Program = typeof(Build).Assembly;

    public static string Version { get; } = Program.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    /// <summary>The day of the build, in UTC. A day is exact enough as the floor of a clock that was reset.</summary>
    public static DateTimeOffset Date { get; } = DateTimeOffset.ParseExact(
        Program.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "BuildDate").Value!,
        "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal);
}
