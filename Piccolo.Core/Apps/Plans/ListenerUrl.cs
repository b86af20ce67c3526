using System.Globalization;
using Piccolo.Core.Listeners;

namespace Piccolo.Core.Apps.Plans;

/// <summary>Where users reach a listener.</summary>
public sealed record ListenerUrl(string Scheme, string Host, int Port)
{
    /// <summary>The port is left out where the scheme implies it.</summary>
    public override string ToString() =>
        (Scheme, Port) is ("https", 443) or ("http", 80) ? $"{Scheme}://{Host}" : string.Create(CultureInfo.InvariantCulture, $"{Scheme}://{Host}:{Port}");
}

/// <summary>Knows the addresses that apps are told as their own. Thread-safe.</summary>
public interface IListenerUrls
{
    /// <summary>The public address once remote access is set up, else that on the LAN. The store is open.</summary>
    ListenerUrl Of(PublishedListener listener);
}

/// <summary>The addresses on the LAN: this device's name and the port that the listener keeps.</summary>
internal sealed class LanListenerUrls : IListenerUrls
{
    public ListenerUrl Of(PublishedListener listener) => new(listener.Definition.IsHttp ? "https" : "tcp", Environment.MachineName, listener.PublicPort);
}
