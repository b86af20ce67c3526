using System.Net.Http.Json;
using System.Text.RegularExpressions;
using Piccolo.Api.Security;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Relays;

namespace Piccolo.Tests.Api.Auth;

/// <summary>Every route that is the owner's, asked by somebody who is not: the guard that the table declares is in force.</summary>
[Category("Sealed")]
internal sealed partial class OwnerGuardTests
{
    private TestAppliance _appliance = null!;

    [OneTimeSetUp]
    public async Task SetUp() => _appliance = await new TestAppliance().OwnedAsync();

    [OneTimeTearDown]
    public async Task TearDown() => await _appliance.DisposeAsync();

    [TestCase(null)]
    [TestCase("Bearer piccolo_notatoken")]
    public async Task Routes_OfTheOwnerWithoutASession_AreAll401(string? authorization)
    {
        await using var stranger = new StrangerClient(_appliance);
        var answers = new List<string>();
        var routes = ApiRoute.AllOf(_appliance).Where(r => r.Endpoint.Metadata.GetMetadata<OwnerGuard>() is not null).ToList();
        foreach (var route in routes)
        {
            using var request = new HttpRequestMessage(HttpMethod.Parse(route.Method), Parameter().Replace(route.Pattern, "x"));
            if (route.Method != "GET") request.Content = JsonContent.Create(new { });
            if (authorization is not null) request.Headers.Add("Authorization", authorization);
            using var response = await stranger.SendAsync(request);
            if ((int)response.StatusCode != 401) answers.Add($"{route} answered {(int)response.StatusCode}");
        }

        Assert.That(answers, Is.Empty);
        Assert.That(routes.Count(r => r.Method == "GET"), Is.GreaterThan(20));
    }

    [GeneratedRegex(@"\{[^}]+\}")]
    private static partial Regex Parameter();
}
