namespace Piccolo.Api.Ingress.EventLoop;

/// <summary>Of a connection whose socket lives on a <see cref="SocketLoop"/>; others, such as the relay's streams, do not have it.</summary>
internal interface ILoopSocketFeature
{
    /// <inheritdoc cref="LoopReader.IsBroken"/>
    bool IsBroken { get; }

    /// <summary>Whether the client's end, or a break, was seen: the connection's token tells it a little later.</summary>
    bool HasEnded { get; }

    /// <value>Whether awaiters of its pipes resume on the loop's thread, for connections whose every request goes to an app. Default false: on the thread
    /// pool.</value>
    bool ResumesOnLoop { get; set; }
}
