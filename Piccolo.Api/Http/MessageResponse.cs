namespace Piccolo.Api.Http;

/// <summary>A plain confirmation.</summary>
public sealed record MessageResponse(string Message)
{
    public static readonly MessageResponse Ok = new("ok");
}
