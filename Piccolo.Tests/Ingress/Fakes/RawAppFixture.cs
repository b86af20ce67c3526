using System.Text;

namespace Piccolo.Tests.Ingress.Fakes;

/// <summary>The front door before an app that says exactly the bytes that it is told to.</summary>
internal abstract class RawAppFixture
{
    private protected FrontDoor Door { get; private set; } = null!;

    private protected RawApp App { get; private set; } = null!;

    private protected HttpClient Client { get; private set; } = null!;

    /// <summary>Null: the true clock.</summary>
    private protected virtual TimeProvider? Time => null;

    [SetUp]
    public async Task StartAsync()
    {
        // Of several loops each would have connections of its own.
        Door = await FrontDoor.StartAsync(time: Time, loops: 1);
        App = new RawApp();
        Door.PublishApp("web", App.Port);
        Client = Door.ClientFor(Door.HttpsPort);
    }

    [TearDown]
    public async Task StopAsync()
    {
        Client.Dispose();
        App.Dispose();
        await Door.DisposeAsync();
    }

    private protected static HttpRequestMessage Request(HttpMethod method, string version) =>
        new(method, "https://web.home.test/") { Version = Version.Parse(version), VersionPolicy = HttpVersionPolicy.RequestVersionExact };

    /// <summary>Ends with the answer's head.</summary>
    private protected Task<HttpResponseMessage> GetAsync(string version) =>
        Client.SendAsync(Request(HttpMethod.Get, version), HttpCompletionOption.ResponseHeadersRead);

    private protected static async Task<string> TextAsync(Task<HttpResponseMessage> asking)
    {
        using var response = await asking;
        return Encoding.Latin1.GetString(await response.Content.ReadAsByteArrayAsync());
    }
}
