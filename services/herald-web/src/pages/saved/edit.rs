//! Changes of saved searches: POST, and back to the page.

use axum::{
    body::Bytes,
    extract::rejection::BytesRejection,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Redirect, Response},
};
use domain::SearchName;

use super::{ChangeForm, Forms, SaveForm, Visit, address};
use crate::{
    app::App,
    pages::form::{Form, status_of},
    store_client::ChangeFailure,
};

/// `POST /saved`
pub(crate) async fn save(
    app: App,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let form = match Form::read(&app, &uri, &headers, body) {
        Ok(form) => form,
        Err(response) => return *response,
    };
    let mut save = SaveForm {
        name: form.get("name").to_owned(),
        ..SaveForm::of(form.get("view"))
    };
    let (name, view) = (SearchName::new(&save.name), address::read(&save.view));
    let (status, problem) = match (name, view) {
        (Ok(name), Ok(view)) => {
            let overwrite = !form.get("overwrite").is_empty();
            let author = app.author("");
            let saving = app
                .store
                .save_search(&name, &view.query, overwrite, &author);
            match saving.await {
                Ok(()) => return to_page(Some(&name)),
                Err(failure) => {
                    save.can_overwrite = matches!(failure, ChangeFailure::Taken(_));
                    save.name_problem = Some(failure.to_string()).filter(|_| save.can_overwrite);
                    let problem = (!save.can_overwrite).then(|| failure.to_string());
                    (status_of(&failure), problem)
                }
            }
        }
        (name, view) => {
            save.name_problem = name.err().map(|error| error.to_string());
            save.view_problem = view.err();
            (StatusCode::BAD_REQUEST, None)
        }
    };
    let forms = Forms {
        save,
        problem,
        ..Forms::default()
    };
    Visit::new(&app, &uri, &headers).again(status, forms).await
}

/// `POST /saved/rename`
pub(crate) async fn rename(
    app: App,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let form = match Form::read(&app, &uri, &headers, body) {
        Ok(form) => form,
        Err(response) => return *response,
    };
    let (old, new) = (form.get("name"), form.get("new_name"));
    let (status, problem) = match (SearchName::new(old), SearchName::new(new)) {
        (Ok(name), Ok(new_name)) => {
            let author = app.author("");
            match app.store.rename_search(&name, &new_name, &author).await {
                Ok(()) => return to_page(Some(&new_name)),
                Err(failure) => (status_of(&failure), failure.to_string()),
            }
        }
        (Err(error), _) | (_, Err(error)) => (StatusCode::BAD_REQUEST, error.to_string()),
    };
    let change = ChangeForm {
        name: old.to_owned(),
        new_name: new.to_owned(),
        problem: problem.clone(),
    };
    let forms = Forms {
        // Whoever has been overtaken finds no form to show it at.
        problem: (status == StatusCode::NOT_FOUND).then_some(problem),
        change: Some(change),
        ..Forms::default()
    };
    Visit::new(&app, &uri, &headers).again(status, forms).await
}

/// `POST /saved/delete`
pub(crate) async fn delete(
    app: App,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let form = match Form::read(&app, &uri, &headers, body) {
        Ok(form) => form,
        Err(response) => return *response,
    };
    let (status, problem) = match SearchName::new(form.get("name")) {
        Ok(name) => match app.store.delete_search(&name, &app.author("")).await {
            Ok(()) => return to_page(None),
            Err(failure) => (status_of(&failure), failure.to_string()),
        },
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()),
    };
    let forms = Forms {
        problem: Some(problem),
        ..Forms::default()
    };
    Visit::new(&app, &uri, &headers).again(status, forms).await
}

/// Loading that page anew does nothing again.
fn to_page(saved: Option<&SearchName>) -> Response {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let address = match saved {
        Some(name) => {
            query.append_pair("saved", name.as_str());
            format!("/saved?{}", query.finish())
        }
        None => "/saved".to_owned(),
    };
    Redirect::to(&address).into_response()
}
