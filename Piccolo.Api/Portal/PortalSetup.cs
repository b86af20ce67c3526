namespace Piccolo.Api.Portal;

/// <summary>The web portal: static files beside the API that it drives.</summary>
internal static class PortalSetup
{
    public static void UsePortal(this WebApplication app)
    {
        app.UseDefaultFiles();
        app.UseStaticFiles();
    }
}
