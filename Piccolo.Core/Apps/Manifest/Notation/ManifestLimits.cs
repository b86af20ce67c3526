using System.Text.RegularExpressions;

namespace Piccolo.Core.Apps.Manifest.Notation;

/// <summary>How much a manifest may hold. The rules and the schema both read it.</summary>
internal static class ManifestLimits
{
    public const int Schema = 2;
    public const int NameLength = 50;
    public const int Services = 32;
    public const int Listeners = 32;
    public const int RemotePorts = 16;
    public const int Volumes = 32;
    public const int Secrets = 32;
    public const int Aliases = 16;
    public const int Mounts = 32;
    public const int TemporaryFolders = 16;
    public const int Words = 128;
    public const int WordLength = 4096;
    public const int Variables = 256;
    public const int VariableNameLength = 255;
    public const int VariableLength = 4096;
    public const int PathLength = 255;
    public const int LabelLength = 63;
    public const int HostnameLength = 63;
    public const int MaxUserId = 65_535;
    public const int HstsAgeSeconds = 63_072_000;
    public const int HealthPathLength = 256;
    public const int HealthRetries = 100;
    public const int MinSecretLength = 8;
    public const int MaxSecretLength = 128;
    public const int SecretLength = 32;
    public const int Capabilities = 32;
    public const int Sysctls = 32;
    public const int SysctlLength = 128;

    public const long MinMemoryBytes = 6L << 20;
    public const long MaxMemoryBytes = 1L << 42;
    public const long MinNanoCpus = 10_000_000;
    public const long MaxNanoCpus = 64_000_000_000;

    /// <summary>Of /dev/shm and of folders in memory.</summary>
    public const long MinFolderBytes = 1L << 20;
    public const long MaxFolderBytes = 1L << 36;
    public const long MinVolumeBytes = 1L << 20;
    public const long MaxVolumeBytes = 1L << 46;

    public static readonly TimeSpan MinInterval = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan MaxInterval = TimeSpan.FromHours(1);
    public static readonly TimeSpan MaxTimeout = TimeSpan.FromMinutes(10);
    public static readonly TimeSpan MaxStartPeriod = TimeSpan.FromHours(6);
    public static readonly TimeSpan MinStopGrace = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan MaxStopGrace = TimeSpan.FromMinutes(10);
}

/// <summary>What names and values look like, without anchors, in the part of regular expressions that .NET and ECMAScript share.</summary>
internal static partial class ManifestPatterns
{
    public const string AppName = "[a-z](?:[a-z0-9-]*[a-z0-9])?";
    public const string Label = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
    public const string Alias = "[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9_])?";
    public const string SecretName = "[a-z](?:[a-z0-9_-]{0,61}[a-z0-9])?";
    public const string VariableName = "[A-Za-z_][A-Za-z0-9_]*";
    public const string User = @"(?:[0-9]{1,5}|[A-Za-z_][A-Za-z0-9_.-]{0,31})(?::(?:[0-9]{1,5}|[A-Za-z_][A-Za-z0-9_.-]{0,31}))?";
    public const string Size = "[0-9]{1,15}(?:[.][0-9]{1,6})? ?(?:[Bb]|[KkMmGgTt][Ii]?[Bb])";
    public const string Duration = "(?:[0-9]{1,2}h)?(?:[0-9]{1,4}m)?(?:[0-9]{1,5}s)?";
    public const string Sysctl = "net(?:[.][a-z0-9_-]{1,32}){1,6}";
    public const string SysctlValue = "[A-Za-z0-9._-]{1,32}(?: [A-Za-z0-9._-]{1,32}){0,7}";
    public const string Signal =
        "(?:SIG)?(?:ABRT|ALRM|CONT|HUP|INT|KILL|PWR|QUIT|TERM|USR1|USR2|WINCH|RTMIN(?:[+][0-9]{1,2})?|RTMAX(?:-[0-9]{1,2})?)";

    [GeneratedRegex($@"^(?:{AppName})\z", RegexOptions.CultureInvariant)]
    public static partial Regex IsAppName();

    [GeneratedRegex($@"^(?:{Label})\z", RegexOptions.CultureInvariant)]
    public static partial Regex IsLabel();

    [GeneratedRegex($@"^(?:{Alias})\z", RegexOptions.CultureInvariant)]
    public static partial Regex IsAlias();

    [GeneratedRegex($@"^(?:{SecretName})\z", RegexOptions.CultureInvariant)]
    public static partial Regex IsSecretName();

    [GeneratedRegex($@"^(?:{VariableName})\z", RegexOptions.CultureInvariant)]
    public static partial Regex IsVariableName();

    [GeneratedRegex($@"^(?:{User})\z", RegexOptions.CultureInvariant)]
    public static partial Regex IsUser();

    [GeneratedRegex($@"^(?:{Signal})\z", RegexOptions.CultureInvariant)]
    public static partial Regex IsSignal();

    [GeneratedRegex($@"^(?:{Sysctl})\z", RegexOptions.CultureInvariant)]
    public static partial Regex IsSysctl();

    [GeneratedRegex($@"^(?:{SysctlValue})\z", RegexOptions.CultureInvariant)]
    public static partial Regex IsSysctlValue();
}
