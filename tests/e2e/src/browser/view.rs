//! How a page is looked at: size, colours, with or without scripts, pictures.

use std::{path::Path, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;
use testkit::wait_until;

use super::page::Page;

impl Page {
    /// The size of the window's inside, in CSS pixels.
    pub async fn size(&self, width: u32, height: u32) {
        let size = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false,
        });
        self.call("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// What the person prefers: dark or light. Movement is never preferred.
    pub async fn dark(&self, is_dark: bool) {
        let scheme = if is_dark { "dark" } else { "light" };
        let media = json!({"features": [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]});
        self.call("Emulation.setEmulatedMedia", media).await;
    }

    /// From now on, what is downloaded is put into this folder.
    pub async fn download_to(&self, folder: &Path) {
        let behaviour = json!({"behavior": "allow", "downloadPath": folder});
        self.call("Page.setDownloadBehavior", behaviour).await;
    }

    /// A picture of what is in the window, as PNG.
    ///
    /// # Panics
    /// When the browser makes none.
    pub async fn picture(&self) -> Vec<u8> {
        let format = json!({"format": "png", "optimizeForSpeed": false});
        let answer = self.call("Page.captureScreenshot", format).await;
        let data = answer["data"].as_str().expect("a picture");
        STANDARD.decode(data).expect("base64")
    }

    /// What makes the page wider than its window, if anything does.
    pub async fn overflow(&self) -> Option<String> {
        let script = "(() => {
            const width = document.scrollingElement.scrollWidth;
            if (width <= innerWidth) return null;
            const wide = [...document.body.querySelectorAll('*')]
                .filter(it => it.getBoundingClientRect().right > innerWidth + 0.5)
                .map(it => it.outerHTML.slice(0, 150));
            return `${width} px of ${innerWidth}: ${wide.slice(0, 2)} … ${wide.slice(-2)}`;
        })()";
        let overflow = self.evaluate(script).await;
        overflow.as_str().map(str::to_owned)
    }

    /// Waits until nothing scrolls any more, and says how far down the page is.
    pub async fn scrolled(&self) -> f64 {
        let mut last = None;
        wait_until("scrolling has ended", Duration::from_secs(5), async || {
            let now = self.evaluate("scrollY").await.as_f64();
            last.replace(now) == Some(now)
        })
        .await;
        last.flatten().unwrap_or_default()
    }
}
