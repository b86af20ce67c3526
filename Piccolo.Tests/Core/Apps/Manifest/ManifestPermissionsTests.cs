using Piccolo.Core.Apps.Manifest;
using Piccolo.Core.Containers;

namespace Piccolo.Tests.Core.Apps.Manifest;

/// <summary>What a service may do beyond what every service may, from the text to the manifest.</summary>
internal sealed class ManifestPermissionsTests
{
    private const string Short = "name: a\nimage: b:1\nlisteners: [{ name: c, guest_port: 1 }]\n";

    [TestCase("", "")]
    [TestCase("permissions: {}", "")]
    [TestCase("permissions: { network: {} }", "")]
    [TestCase("permissions: { network: { internet: allow } }", "internet dns")]
    [TestCase("permissions: { network: { local_network: allow } }", "local_network dns")]
    [TestCase("permissions: { network: { dns: allow } }", "dns")]
    [TestCase("permissions: { network: { internet: allow, dns: deny } }", "internet")]
    [TestCase("permissions: { network: { internet: deny, local_network: allow } }", "local_network dns")]
    [TestCase("permissions: { network: { internet: deny, local_network: deny, dns: deny } }", "")]
    public void Network_OfTheShortForm_IsClosedUnlessSaid(string fields, string rights) => Assert.That(
        Parse($"name: a\nimage: b:1\nlisteners: [{{ name: c, guest_port: 1 }}]\n{fields}\n").Services.Single().Network.ToString(), Is.EqualTo(rights));

    [TestCase("image: postgres:17", "", Description = "in the short form the block is its own")]
    public void Network_OfADatabaseAlone_IsWhatItsOwnBlockSays(string image, string without)
    {
        Assert.That(Parse($"name: a\n{image}\nlisteners: [{{ name: c, guest_port: 1 }}]\n").Services.Single().Network.ToString(), Is.EqualTo(without));
        Assert.That(Parse($"name: a\n{image}\nlisteners: [{{ name: c, guest_port: 1 }}]\npermissions: {{ network: {{ internet: allow }} }}\n").Services.Single()
            .Network.ToString(), Is.EqualTo("internet dns"));
    }

    [Test]
    public void Network_OfSeveralServices_FollowsTheTopButForDatabases()
    {
        var app = Parse("""
            name: a
            permissions: { network: { internet: allow, local_network: allow }, capabilities: [SYS_NICE], new_privileges: allow, sysctls: { net.a: 1 } }
            services:
              web: { image: web:1 }
              quiet:
                image: quiet:1
                permissions: { network: { internet: deny, local_network: deny }, capabilities: [], new_privileges: deny, sysctls: { net.b: 2 } }
              half: { image: half:1, permissions: { network: { internet: deny } } }
              db: { image: "ghcr.io/immich-app/postgres:14" }
              cache: { image: "redis:8", permissions: { network: { internet: allow } } }
            listeners: [{ name: c, guest_port: 1, service: web }]
            """);

        Assert.That(app.Services.Select(s => $"{s.Name}: {s.Network}"), Is.EqualTo(new[]
        {
            "web: internet local_network dns", "quiet: ", "half: local_network dns", "db: ", "cache: internet dns",
        }));
        Assert.That(app.Services.Select(s => s.Capabilities is { } asked ? string.Join(' ', asked) : null), Is.EqualTo(new[]
        {
            "SYS_NICE", "", "SYS_NICE", "SYS_NICE", "SYS_NICE",
        }));
        Assert.That(app.Services.Select(s => s.HasNewPrivileges), Is.EqualTo(new[] { true, false, true, true, true }));
        Assert.That(app.Services.Select(s => s.Sysctls.GetValueOrDefault("net.a")), Is.EqualTo(new[] { "1", null, "1", "1", "1" }),
            "its own stand in their place");
    }

    [TestCase("net_raw", "NET_RAW")]
    [TestCase("CAP_NET_RAW", "NET_RAW")]
    [TestCase("cap_sys_ptrace", "SYS_PTRACE")]
    [TestCase("NETRAW", "NET_RAW")]
    [TestCase("SYS_NICEE", "SYS_NICE")]
    [TestCase("SYS_ADMIN", null)]
    [TestCase("CAP_SYS_MODULE", null)]
    [TestCase("WAKE_ALARM", null)]
    [TestCase("ALL", null)]
    public void Capability_ThatNoAppGets_IsRefusedWithTheReasonOrTheNearestName(string name, string? suggestion)
    {
        var error = AppManifestParser.Parse($"name: a\nimage: b\nlisteners: [{{ name: c, guest_port: 1 }}]\npermissions: {{ capabilities: [{name}] }}\n")
            .Errors.Single();

        Assert.That((error.Path, error.Suggestion), Is.EqualTo(("permissions.capabilities[0]", suggestion)));
        if (suggestion is not null) Assert.That(error.Message, Does.Contain($"'{suggestion}'"));
    }

    [TestCase("SYS_ADMIN", "as good as the device itself")]
    [TestCase("SYS_TIME", "clock")]
    [TestCase("SYS_RAWIO", "memory and disks")]
    [TestCase("BPF", "kernel")]
    [TestCase("WAKE_ALARM", "No app gets this capability.")]
    public void Capability_ThatNoAppGets_IsRefusedWithTheReason(string name, string reason) => Assert.That(
        AppManifestParser.Parse($"name: a\nimage: b\nlisteners: [{{ name: c, guest_port: 1 }}]\npermissions: {{ capabilities: [{name}] }}\n")
            .Errors.Single().Message, Does.Contain(reason));

    [Test]
    public void Capabilities_EveryOneThatCanBeGranted_IsTaken()
    {
        var app = Parse(Short + $"permissions: {{ capabilities: [{string.Join(", ", Capabilities.Grantable)}] }}\n");

        Assert.That(app.Services.Single().Capabilities!.Value, Is.EqualTo(Capabilities.Grantable));
        Assert.That(Capabilities.Grantable, Has.Length.EqualTo(21).And.No.Member("SYS_ADMIN"));
        Assert.That(Capabilities.All, Has.Length.EqualTo(41).And.Unique);
    }

    [Test]
    public void Grants_AreWhatIsBeyondTheOrdinary()
    {
        var app = Parse("""
            name: a
            services:
              web:
                image: web:1
                permissions: { network: { internet: allow, local_network: allow }, capabilities: [NET_ADMIN, NET_RAW, CHOWN], new_privileges: allow }
              names: { image: names:1, permissions: { network: { dns: allow }, sysctls: { net.ipv4.ip_forward: 1 } } }
              db: { image: postgres:17, permissions: { capabilities: [] } }
            listeners: [{ name: c, guest_port: 1, service: web }]
            """);

        Assert.That(ManifestGrants.Of(app).Select(g => (g.Service, g.Permission, g.Tier)), Is.EqualTo(new[]
        {
            ("web", "network.internet", GrantTier.Shown), ("web", "capabilities.NET_RAW", GrantTier.Shown),
            ("web", "network.local_network", GrantTier.Serious), ("web", "capabilities.NET_ADMIN", GrantTier.Serious),
            ("web", "new_privileges", GrantTier.Serious), ("names", "network.dns", GrantTier.Shown), ("names", "sysctls", GrantTier.Shown),
        }));
    }

    [Test]
    public void Grants_EveryCapabilityBeyondTheOrdinary_HasAMeaning()
    {
        var app = Parse(Short + $"permissions: {{ capabilities: [{string.Join(", ", Capabilities.Grantable)}] }}\n");

        Assert.That(ManifestGrants.Of(app).Select(g => g.Permission),
            Is.EquivalentTo(Capabilities.Grantable.Except(Capabilities.Ordinary).Select(c => $"capabilities.{c}")));
    }

    private static AppManifest Parse(string text)
    {
        var result = AppManifestParser.Parse(text);
        Assert.That(result.Errors, Is.Empty);
        return result.Manifest!;
    }
}
