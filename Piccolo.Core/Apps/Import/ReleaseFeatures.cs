using System.Collections.Concurrent;
using Piccolo.Core.Apps.Manifest;

namespace Piccolo.Core.Apps.Import;

/// <summary>What a manifest of this release may say. The parser itself is asked, so that the import never writes what it would refuse.</summary>
internal static class ReleaseFeatures
{
    private static readonly ConcurrentDictionary<string, bool> Known = new(StringComparer.Ordinal);

    public static bool CanDenyInternet => Can("permissions: {network: {internet: deny}}");

    public static bool CanHaveNoCapabilities => Can("permissions: {capabilities: []}");

    public static bool CanHaveNewPrivileges => Can("permissions: {new_privileges: allow}");

    /// <param name="name">One of the few names of the import's own tables.</param>
    public static bool CanHaveCapability(string name) => Can($"permissions: {{capabilities: [{name}]}}");

    public static bool CanHaveSysctls => Can("permissions: {sysctls: {net.ipv4.ip_forward: \"1\"}}");

    public static bool CanHaveSysctl(string name, string value) =>
        CanHaveSysctls && IsValid($"permissions: {{sysctls: {{{Writing.YamlText.Quoted(name)}: {Writing.YamlText.Quoted(value)}}}}}");

    private static bool Can(string field) => Known.GetOrAdd(field, IsValid);

    private static bool IsValid(string field) => AppManifestParser.Parse($"name: a\nimage: b:1\nlisteners: [{{name: c, guest_port: 1}}]\n{field}\n").IsValid;
}
