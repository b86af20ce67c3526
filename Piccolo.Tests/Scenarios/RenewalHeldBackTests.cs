using System.Text.Json.Nodes;
using Piccolo.Core.Certificates;
using Piccolo.Tests.Fakes.Relays;

namespace Piccolo.Tests.Scenarios;

/// <summary>A limit of the CA's that one certificate uses up: nobody is told that a renewal is queued.</summary>
[Category("Scenario"), Category("NeedsPebble"), Category("Acme")]
internal sealed class RenewalHeldBackTests : RemoteBoxFixture
{
    private protected override (string Key, string Value)[] Settings =>
        [("Piccolo:Acme:Limits:SameNames:Count", "1"), ("Piccolo:Acme:Limits:SameNames:Period", "3.00:00:00")];

    [TestCase("renew")]
    [TestCase("rekey")]
    public async Task Renewal_WhileALimitHoldsItBack_Is409WithTheLimitAndTheTime(string act)
    {
        var inventory = Box.Get<CertificateInventory>();
        await RemoteBox.UntilAsync(inventory.Changed, () => inventory.Find("portal") is { Status: CertificateStatus.Ok }, "the portal is certified");

        using var refused = await Box.Appliance.SendAsync(HttpMethod.Post, $"/api/v1/remote/certificates/portal/{act}");
        var problem = JsonNode.Parse(await refused.Content.ReadAsStringAsync())!;

        Assert.That(((int)refused.StatusCode, (string?)problem["code"], (string?)problem["held_back_by"]),
            Is.EqualTo((409, "renewal_held_back", "same_names")));
        Assert.That((string?)problem["detail"], Does.StartWith(
            "The certificate authority has issued as many certificates for these very names as it allows in this period. The next order begins at "));
        Assert.That(refused.Headers.RetryAfter!.Delta, Is.GreaterThan(TimeSpan.FromDays(2)).And.LessThanOrEqualTo(TimeSpan.FromDays(3)));
        Assert.That((DateTimeOffset)problem["next_attempt"]!,
            Is.EqualTo(TimeProvider.System.GetUtcNow() + refused.Headers.RetryAfter.Delta!.Value).Within(TimeSpan.FromMinutes(1)));
    }
}
