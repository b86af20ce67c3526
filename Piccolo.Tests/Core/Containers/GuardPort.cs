namespace Piccolo.Tests.Core.Containers;

/// <summary>The port at which a container is published.</summary>
internal static class GuardPort
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Asks until the app listens: no program in a container tells us when.</summary>
    public static async Task<string> GetAsync(HttpClient http, string url)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            try
            {
                return await http.GetStringAsync(new Uri(url), patience.Token);
            }
            catch (HttpRequestException e) when (e.StatusCode is null)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, patience.Token);
            }
        }
    }
}
