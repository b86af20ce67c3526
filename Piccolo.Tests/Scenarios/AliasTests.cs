using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Piccolo.Core.Certificates;
using Piccolo.Core.Remote.Aliases;
using Piccolo.Core.Remote.Events;
using Piccolo.Core.Remote.Probing;
using Piccolo.Core.Tunnel;
using Piccolo.Tests.Fakes.Relays;

namespace Piccolo.Tests.Scenarios;

/// <summary>An appliance behind a DevRelay with a real CA and a real DNS: preflight, aliases, the issuance lock, and the events of all of it.</summary>
[Category("Scenario"), Category("NeedsPebble"), Category("Acme")]
internal sealed class AliasTests : RemoteBoxFixture
{
    private protected override (string Key, string Value)[] Settings => [("Piccolo:Remote:AliasRetryInterval", "00:00:01")];

    [OneTimeSetUp]
    public async Task UntilReadyAsync()
    {
        await Box.UntilAsync(RemoteBox.Portal, ReachResult.Reachable);
    }

    [Test]
    public async Task Preflight_AllInPlace_Passes()
    {
        var checks = await PreflightAsync();

        Assert.That(checks.Select(c => (string?)c!["id"]).Distinct(), Is.EquivalentTo(new[] { "clock", "tunnel", "names", "dns", "caa", "port_80" }));
        Assert.That(checks.Where(c => (string?)c!["status"] != "pass").Select(c => c!.ToJsonString()), Is.Empty);
    }

    [Test]
    public async Task Preflight_WhatIsWrong_IsNamedWithANextStep()
    {
        await Dns.SetCaaAsync(RemoteBox.Domain, ("issue", "other-ca.test"));
        Box.Http.HangsUp();
        try
        {
            var checks = await PreflightAsync();

            var failed = checks.Where(c => (string?)c!["status"] == "fail").ToList();
            Assert.That(failed.Select(c => (string?)c!["id"]), Is.EquivalentTo(new[] { "caa", "port_80" }));
            Assert.That(failed.Select(c => (string?)c!["next_step"]), Has.None.Null.And.None.Empty);
        }
        finally
        {
            Box.Restore();
            await Dns.SetCaaAsync(RemoteBox.Domain);
        }
    }

    [Test]
    public async Task Preflight_DnsThatFails_FailsEveryCheckThatNeedsIt()
    {
        await Dns.SetServFailAsync(RemoteBox.Portal);
        try
        {
            var failed = (await PreflightAsync()).Where(c => (string?)c!["status"] == "fail").Select(c => (string?)c!["id"]);

            Assert.That(failed, Is.EquivalentTo(new[] { "dns", "caa", "port_80" }));
        }
        finally
        {
            await Dns.ClearServFailAsync(RemoteBox.Portal);
        }
    }

    [Test]
    public async Task Alias_IsVerifiedCertifiedRoutedAndRemoved()
    {
        const string name = "www.elsewhere.test";
        await Dns.AddAAsync(name, "192.0.2.9");

        var alias = await Box.Appliance.Api.PostAsync("/api/v1/remote/aliases", new { hostname = name });

        Assert.That((string?)alias["id"], Is.EqualTo("alias:" + name));
        Assert.That((string?)alias["status"], Is.EqualTo("pending"));
        Assert.That((string?)alias["message"], Does.Contain("192.0.2.9"));
        Assert.That(Box.Get<RelayTunnel>().Status.Hostnames, Does.Not.Contain(name), "what does not lead to the relay is not claimed there");

        await Dns.ClearAAsync(name);
        await Box.UntilAsync(name, ReachResult.Reachable);

        alias = (await Box.Appliance.Api.GetAsync("/api/v1/remote/aliases"))["aliases"]!.AsArray().Single(a => (string?)a!["hostname"] == name)!;
        Assert.That((string?)alias["status"], Is.EqualTo("active"));
        var held = Box.Get<CertificateInventory>().Find("alias:" + name)!;
        Assert.That(held.Issuer, Does.Contain("Pebble"), "reachable means: under the key of a certificate from the CA");
        Assert.That((await RefusedAsync(new { hostname = name })).Code, Is.EqualTo("alias_taken"));

        await Box.Appliance.SendAsync(HttpMethod.Delete, $"/api/v1/remote/aliases/alias:{name}");
        await RemoteBox.UntilAsync(Box.Get<RelayTunnel>().Changed, () => !Box.Get<RelayTunnel>().Status.Hostnames.Contains(name),
            "the relay has forgotten the name");
        Assert.That(Box.Get<CertificateInventory>().Find("alias:" + name), Is.Null);
        Assert.That(Box.Get<RemoteAliasStore>().List().Select(a => a.Hostname), Does.Not.Contain(name));
        await UntilEventAsync($"{name} is reachable");
        Assert.That((await EventsAsync()).Select(e => (string?)e!["message"]).Where(m => m!.Contains(name)),
            Has.Some.Contains("was added").And.Some.Contains("leads to the relay").And.Some.Contains("is reachable").And.Some.Contains("was removed"));
    }

    [Test]
    public async Task Alias_WhoseCaaRecordsForbidOurCa_IsClaimedOnlyWhenTheyAllowIt()
    {
        const string name = "www.forbidden.test";
        await Dns.SetCaaAsync(name, ("issue", "other-ca.test"));

        var alias = await Box.Appliance.Api.PostAsync("/api/v1/remote/aliases", new { hostname = name });

        Assert.That(((string?)alias["status"], (string?)alias["message"]), Is.EqualTo(("pending",
            $"The CAA records at {name} do not let this certificate authority, this account or the method http-01 issue for {name}.")),
            "it leads to the relay, and that is not enough");
        Assert.That(Box.Get<RelayTunnel>().Status.Hostnames, Does.Not.Contain(name));
        Assert.That(Box.Get<CertificateInventory>().Find("alias:" + name), Is.Null, "no order that must fail");

        await Dns.SetCaaAsync(name, ("issue", CaaIdentity));
        await Box.UntilAsync(name, ReachResult.Reachable);

        await Box.Appliance.SendAsync(HttpMethod.Delete, $"/api/v1/remote/aliases/alias:{name}");
        await Dns.SetCaaAsync(name);
    }

    [TestCase("*.elsewhere.test", "invalid_request", "dns-01")]
    [TestCase("single", "invalid_request", "two labels")]
    [TestCase("co.uk", "alias_not_certifiable", "public suffix")]
    [TestCase("portal.home.test", "alias_taken", "already")]
    [TestCase("192.0.2.1", "invalid_request", "two labels")]
    public async Task Alias_ThatCannotWork_IsRefusedWithASentence(string hostname, string code, string sentence)
    {
        var (found, detail) = await RefusedAsync(new { hostname });

        Assert.That(found, Is.EqualTo(code));
        Assert.That(detail, Does.Contain(sentence));
    }

    [Test]
    public async Task Alias_ForAListenerThatIsNotThere_IsRefused() =>
        Assert.That((await RefusedAsync(new { hostname = "x.elsewhere.test", listener = "nobody" })).Code, Is.EqualTo("listener_unknown"));

    [Test]
    public async Task IssuanceLock_FollowsWhatDnsSays()
    {
        var found = await CheckLockAsync();
        Assert.That((string?)found["trust_level"], Is.EqualTo("relay_could_issue"));
        Assert.That((bool)found["recommended"]!, Is.False, "without an export the lock could lock the owner out");
        var record = found["names"]![0]!["record"]!;
        Assert.That((string?)record["zone_line"],
            Does.StartWith($"{RemoteBox.Domain}. IN CAA 0 issue \"{CaaIdentity}; accounturi={new Uri(Ca.DirectoryUrl, "/")}"));

        await Dns.SetCaaAsync(RemoteBox.Domain, ("issue", (string)record["value"]!));
        try
        {
            found = await CheckLockAsync();
            Assert.That((string?)found["trust_level"], Is.EqualTo("only_this_device_can_issue"));
            Assert.That((string?)(await Box.StatusAsync())["trust_level"], Is.EqualTo("only_this_device_can_issue"));

            await Dns.SetCaaAsync(RemoteBox.Domain, ("issue", (string)record["value"]!), ("issue", "other-ca.test"));
            Assert.That((string?)(await CheckLockAsync())["trust_level"], Is.EqualTo("relay_could_issue"), "one more CA is one too many");

            await Dns.SetServFailAsync(RemoteBox.Domain);
            Assert.That((string?)(await CheckLockAsync())["trust_level"], Is.EqualTo("unknown"));
        }
        finally
        {
            await Dns.ClearServFailAsync(RemoteBox.Domain);
            await Dns.SetCaaAsync(RemoteBox.Domain);
        }
        Assert.That((await EventsAsync()).Select(e => (string?)e!["source"]), Does.Contain("issuance_lock"));
    }

    [Test]
    public async Task IssuanceLock_NameThatIsAnAliasOfAnotherZone_IsNamedAsTheLeak()
    {
        const string theirs = "ingress.relay-zone.test";
        var ours = (string)(await CheckLockAsync())["names"]![0]!["record"]!["value"]!;
        await Dns.SetCaaAsync(RemoteBox.Domain, ("issue", ours));
        try
        {
            Assert.That((string?)(await CheckLockAsync())["trust_level"], Is.EqualTo("only_this_device_can_issue"));

            await Dns.SetCnameAsync(RemoteBox.Portal, theirs);
            var found = await CheckLockAsync();
            Assert.That((string?)found["trust_level"], Is.EqualTo("relay_could_issue"), "whoever runs that zone can set a record there at any time");
            Assert.That(found["names"]!.AsArray().Select(n => ((string?)n!["name"], (string?)n["trust_level"])), Is.EqualTo(new[]
            {
                (RemoteBox.Domain, "only_this_device_can_issue"), (RemoteBox.Portal, "relay_could_issue"),
            }));
            Assert.That((string?)found["names"]![1]!["detail"], Does.StartWith($"{RemoteBox.Portal} is an alias (CNAME) of {theirs}"));
            await Dns.SetCaaAsync(theirs, ("issue", $"{CaaIdentity}; accounturi=https://ca.test/the-relays-own"));
            Assert.That((string?)(await CheckLockAsync())["trust_level"], Is.EqualTo("relay_could_issue"));
            await Dns.SetCaaAsync(theirs, ("issue", ours));
            Assert.That((string?)(await CheckLockAsync())["trust_level"], Is.EqualTo("only_this_device_can_issue"), "the zone names our account");

            await Dns.SetCnameAsync(RemoteBox.Portal, "elsewhere." + RemoteBox.Domain);
            Assert.That((string?)(await CheckLockAsync())["trust_level"], Is.EqualTo("only_this_device_can_issue"), "the alias stays in the owner's zone");
        }
        finally
        {
            await Dns.SetCnameAsync(RemoteBox.Portal, null);
            await Dns.SetCaaAsync(theirs);
            await Dns.SetCaaAsync(RemoteBox.Domain);
        }
    }

    [Test]
    public async Task IssuanceLock_AliasElsewhereThatLeadsToThePortal_StaysWithTheOwner()
    {
        const string name = "www.another-zone.test";
        await Dns.SetCnameAsync(name, RemoteBox.Portal);
        try
        {
            await Box.Appliance.Api.PostAsync("/api/v1/remote/aliases", new { hostname = name });
            var ours = (string)(await CheckLockAsync())["names"]![0]!["record"]!["value"]!;
            await Dns.SetCaaAsync(RemoteBox.Domain, ("issue", ours));
            var found = await CheckLockAsync();
            var alias = found["names"]!.AsArray().Single(n => (string?)n!["name"] == name)!;
            Assert.That((string?)alias["detail"], Does.StartWith($"No CAA record restricts {name}. No record can stand beside an alias"),
                "its own zone says nothing, and the portal's name has no record of its own");

            await Dns.SetCaaAsync(RemoteBox.Portal, ("issue", ours));
            Assert.That((string?)(await CheckLockAsync())["trust_level"], Is.EqualTo("only_this_device_can_issue"), "both zones are the owner's");
        }
        finally
        {
            await Box.Appliance.SendAsync(HttpMethod.Delete, $"/api/v1/remote/aliases/alias:{name}");
            await Dns.SetCnameAsync(name, null);
            await Dns.SetCaaAsync(RemoteBox.Portal);
            await Dns.SetCaaAsync(RemoteBox.Domain);
        }
    }

    [Test]
    public async Task Events_AreNewestFirstAndTellTheWholeStory()
    {
        await UntilEventAsync($"{RemoteBox.Portal} is reachable");
        await UntilEventAsync("The certificate portal was issued");
        var events = await EventsAsync();

        Assert.That(events.Select(e => (DateTimeOffset)e!["ts"]!), Is.Ordered.Descending);
        Assert.That(events.Select(e => (string?)e!["source"]), Is.SupersetOf(new[] { "settings", "tunnel", "certificate", "probe" }));
        Assert.That(events.ToJsonString(), Does.Not.Contain(RemoteBox.Secret));
    }

    private async Task<JsonArray> EventsAsync() => (await Box.Appliance.Api.GetAsync("/api/v1/remote/events?limit=500"))["events"]!.AsArray();

    private Task UntilEventAsync(string words)
    {
        var events = Box.Get<RemoteEventLog>();
        return RemoteBox.UntilAsync(events.Changed, () => events.Page(500).Any(e => e.Message.Contains(words, StringComparison.Ordinal)),
            $"an event says '{words}'");
    }

    private async Task<JsonArray> PreflightAsync() => (await Box.Appliance.Api.PostAsync("/api/v1/remote/preflight"))["checks"]!.AsArray();

    private Task<JsonNode> CheckLockAsync() => Box.Appliance.Api.PostAsync("/api/v1/remote/issuance-lock/check");

    private async Task<(string? Code, string? Detail)> RefusedAsync(object body)
    {
        using var response = await Box.Appliance.SendAsync(HttpMethod.Post, "/api/v1/remote/aliases", JsonContent.Create(body));
        Assert.That(response.IsSuccessStatusCode, Is.False);
        var problem = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        return ((string?)problem["code"], (string?)problem["detail"]);
    }
}
