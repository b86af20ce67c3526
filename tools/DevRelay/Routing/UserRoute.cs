namespace Piccolo.DevRelay.Routing;

/// <summary>Where a new user wants to go, and the bytes that were read to find out.</summary>
/// <param name="Key">The normalised name, or <c>tcp:PORT</c>.</param>
/// <param name="IsTls">Whether a ClientHello was seen.</param>
/// <param name="HalfCloses">Whether the stock relay holds a bare socket here (SNI found), which it half-closes before it closes.</param>
internal sealed record UserRoute(string Key, bool IsTls, bool HalfCloses, ReadOnlyMemory<byte> Prelude);
